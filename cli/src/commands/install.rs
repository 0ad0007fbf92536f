//! Installing actions, one or a whole suite: every question first and once, then the actions, many
//! at a time. One that cannot be installed does not stop the others.

use std::collections::{BTreeMap, BTreeSet};

use aileron_api::{
    batch::{self, InstallActionsRequest},
    error::ErrorBody,
    packages::{ActionPreview, ConnectorDependency, InstallConnectorRequest, SuiteMember},
};

use super::{binding, connector};
use crate::{
    connection::{Connection, Person},
    failure::{Failure, Result},
    progress::watched,
};

mod consent;
mod member;
mod trust;

use consent::Foreign;
use member::{Answer, Member};
pub(super) use trust::{Memo, authority_of, ensure_trust, is_trusted};

/// How the person answered in advance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices {
    pub(super) force: bool,
    pub(super) yes: bool,
    /// Of its own: `yes` does not answer for what nobody signed.
    pub(super) accept_unsigned: bool,
    pub(super) bind: Bind,
}

/// What to do about a connector's missing credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bind {
    Offer,
    Always,
    Never,
}

/// Actions on their way in.
pub(super) struct Installing<'a, 'b> {
    connection: &'a Connection<'b>,
    person: &'a Person,
    choices: Choices,
    memo: Memo,
    pub(super) members: Vec<Member>,
}

impl<'a, 'b> Installing<'a, 'b> {
    pub(super) fn new(
        connection: &'a Connection<'b>,
        person: &'a Person,
        choices: Choices,
        packages: Vec<SuiteMember>,
    ) -> Self {
        let members = packages.into_iter().map(|package| Member::new(package, choices)).collect();
        Self { connection, person, choices, memo: Memo::default(), members }
    }

    /// Asks, installs, and leaves with each member what became of it. An error is a person who
    /// stopped it, or a runtime that did not answer.
    pub(super) async fn run(&mut self) -> Result<()> {
        self.ask_for_trust().await?;
        self.preview().await?;
        self.ask_for_each()?;
        self.ask_for_connectors().await?;
        self.install().await
    }

    /// What stays of it when nothing was installed.
    pub(super) fn remind(&self) {
        if self.members.iter().all(|member| member.installed().is_none()) {
            self.memo.remind(self.connection.printer);
        }
    }

    /// Offers to bind what the installed connectors lack.
    pub(super) async fn bind(&self) -> Result<()> {
        if self.choices.bind == Bind::Never {
            return Ok(());
        }
        let installed = self.members.iter().filter_map(Member::installed);
        let missing: BTreeSet<&str> = installed
            .flat_map(|installed| &installed.unbound_capabilities)
            .map(|need| need.connector_fqn.as_str())
            .collect();
        for connector in missing {
            let asked_for = self.choices.bind == Bind::Always;
            binding::offer(self.connection, self.person, connector, asked_for).await?;
        }
        Ok(())
    }

    /// Each publisher is asked about once.
    async fn ask_for_trust(&mut self) -> Result<()> {
        let mut answers: BTreeMap<String, Answer<()>> = BTreeMap::new();
        for member in &mut self.members {
            let repository = authority_of(&member.request.fqn);
            if !answers.contains_key(&repository) {
                let (memo, yes) = (&mut self.memo, self.choices.yes);
                let fqn = &member.request.fqn;
                let asked = ensure_trust(self.connection, self.person, memo, fqn, yes);
                answers.insert(repository.clone(), in_words(asked.await)?);
            }
            if let Some(Err(why)) = answers.get(&repository) {
                member.fails(why);
            }
        }
        Ok(())
    }

    async fn preview(&mut self) -> Result<()> {
        let total = self.members.len();
        let (person, printer, choices) = (self.person, self.connection.printer, self.choices);
        for (first, members) in groups(&mut self.members) {
            let doing = doing("fetching and verifying", first, &members, total);
            let wanted = body(&members);
            let answer = person.client.preview_actions(&wanted);
            let previews = match watched(printer, &person.client, doing, answer).await {
                Ok(answer) => answer.value.items,
                // A token that may install but not look was minted by a person: that was the
                // consent.
                Err(error) if choices.yes && Failure::lacks_right(&error) => {
                    for member in members {
                        member.request.accept_unsigned = choices.accept_unsigned;
                        member.request.auto_install_connectors = true;
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for (member, item) in members.into_iter().zip(previews) {
                match (item.preview, item.error) {
                    (Some(preview), _) => {
                        member.request.expected_hash = Some(preview.hash.clone());
                        member.preview = Some(preview);
                    }
                    (None, why) => member.fails(said(why)),
                }
            }
        }
        Ok(())
    }

    /// What each action needs a word for: that it replaces another one, that nobody signed it,
    /// that its calls would no longer wait.
    fn ask_for_each(&mut self) -> Result<()> {
        let (printer, choices) = (self.connection.printer, self.choices);
        for member in &mut self.members {
            let Some(preview) = member.shown() else { continue };
            let allowed = consent::refuse_takeover(preview, choices.force)
                .and_then(|()| consent::agree_to_unsigned(printer, preview, choices));
            match in_words(allowed)? {
                Ok(accept) => member.request.accept_unsigned = accept,
                Err(why) => member.fails(why),
            }
        }
        let shown: Vec<_> = self.members.iter().filter_map(Member::shown).collect();
        consent::show_calls(printer, &shown);
        let losing: Vec<_> = shown.into_iter().filter(|preview| preview.loses_approval).collect();
        let agreed = consent::agree_to_losing_approval(printer, &losing, choices.yes);
        if let Err(why) = in_words(agreed)? {
            let loses = |it: &ActionPreview| it.loses_approval;
            for member in self.members.iter_mut().filter(|it| it.shown().is_some_and(loses)) {
                member.fails(&why);
            }
        }
        Ok(())
    }

    /// Each connector that is missing is shown and asked about once, and each that actions of
    /// another publisher would use.
    async fn ask_for_connectors(&mut self) -> Result<()> {
        // With whose action it was asked about.
        let mut answers: BTreeMap<(String, String), (String, Answer<()>)> = BTreeMap::new();
        for member in &mut self.members {
            let owner = consent::owner(&member.request.fqn);
            for needed in member.lacks() {
                member.request.auto_install_connectors = true;
                let key = (needed.fqn.clone(), needed.hash.clone());
                if !answers.contains_key(&key) {
                    let (connection, person) = (self.connection, self.person);
                    let memo = &mut self.memo;
                    let asked = agree_to(connection, person, memo, needed, self.choices.yes);
                    answers.insert(key.clone(), (owner.clone(), in_words(asked.await)?));
                }
                if let Some((_, Err(why))) = answers.get(&key) {
                    member.fails(why);
                }
            }
        }
        let asked_with = |needed: &ConnectorDependency, owner: &str| {
            let answer = answers.get(&(needed.fqn.clone(), needed.hash.clone()));
            answer.is_some_and(|(with, _)| with == owner)
        };
        self.ask_for_foreign(asked_with)
    }

    fn ask_for_foreign(
        &mut self,
        asked_with: impl Fn(&ConnectorDependency, &str) -> bool,
    ) -> Result<()> {
        let strange = |preview: &ActionPreview| -> Vec<(String, ConnectorDependency)> {
            let owner = consent::owner(&preview.fqn);
            let needed = preview.connector_deps.iter().filter(|_| !preview.already_installed);
            needed
                .filter(|it| consent::owner(&it.fqn) != owner && !asked_with(it, &owner))
                .map(|it| (owner.clone(), it.clone()))
                .collect()
        };
        let mut foreign: BTreeMap<(String, String), Foreign> = BTreeMap::new();
        for preview in self.members.iter().filter_map(Member::shown) {
            for (owner, needed) in strange(preview) {
                foreign.entry((owner, consent::named(&needed))).or_default().add(preview, &needed);
            }
        }
        for ((owner, connector), foreign) in foreign {
            let (printer, yes) = (self.connection.printer, self.choices.yes);
            let Err(why) = in_words(foreign.agree(printer, &owner, &connector, yes))? else {
                continue;
            };
            for member in &mut self.members {
                let found = member.shown().map(strange).unwrap_or_default();
                if found.iter().any(|(of, it)| *of == owner && consent::named(it) == connector) {
                    member.fails(&why);
                }
            }
        }
        Ok(())
    }

    async fn install(&mut self) -> Result<()> {
        let total = self.members.len();
        let (person, printer) = (self.person, self.connection.printer);
        for (first, members) in groups(&mut self.members) {
            let doing = doing("installing", first, &members, total);
            let wanted = body(&members);
            let answer = person.client.install_actions(&wanted);
            let items = match watched(printer, &person.client, doing, answer).await {
                Ok(answer) => answer.value.items,
                Err(error) if total == 1 => return Err(error.into()),
                // Others are installed: that is told, and what they lack is offered.
                Err(error) => {
                    let why = Failure::from(error).to_string();
                    for member in members {
                        member.fails(&why);
                    }
                    continue;
                }
            };
            for (member, item) in members.into_iter().zip(items) {
                match (item.installed, item.error) {
                    (Some(installed), _) => member.outcome = Some(Ok(installed)),
                    (None, why) => member.fails(said(why)),
                }
            }
        }
        Ok(())
    }
}

/// One action: every question, installation, binding.
pub(super) async fn action(
    connection: &Connection<'_>,
    person: &Person,
    package: SuiteMember,
    choices: Choices,
) -> Result<()> {
    let mut installing = Installing::new(connection, person, choices, vec![package]);
    installing.run().await?;
    for member in &installing.members {
        if let Some(Err(why)) = &member.outcome {
            installing.remind();
            return Err(Failure::plain(why));
        }
        member.tell(connection.printer);
    }
    installing.bind().await
}

async fn agree_to(
    connection: &Connection<'_>,
    person: &Person,
    memo: &mut Memo,
    needed: ConnectorDependency,
    yes: bool,
) -> Result<()> {
    ensure_trust(connection, person, memo, &needed.fqn, yes).await?;
    let request = InstallConnectorRequest {
        fqn: needed.fqn,
        version: needed.version,
        expected_hash: Some(needed.hash),
    };
    connector::consent(connection.printer, person, &request, yes).await.map(drop)
}

/// A failure of one goes into the report; a person who wants to stop stops everything.
fn in_words<T>(result: Result<T>) -> Result<Answer<T>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(stopped @ Failure::Stopped(_)) => Err(stopped),
        Err(failure) => Ok(Err(failure.to_string())),
    }
}

/// Those that still wait, in groups that one call takes, each with how many went before.
fn groups(members: &mut [Member]) -> impl Iterator<Item = (usize, Vec<&mut Member>)> {
    let mut waiting = members.iter_mut().filter(|member| member.waits()).peekable();
    let mut before = 0_usize;
    std::iter::from_fn(move || {
        waiting.peek()?;
        let group: Vec<_> = waiting.by_ref().take(batch::MOST).collect();
        let first = before;
        before = before.saturating_add(group.len());
        Some((first, group))
    })
}

fn doing(what: &str, first: usize, members: &[&mut Member], total: usize) -> String {
    match members {
        [only] if total == 1 => format!("{what} {}", only.request.fqn),
        _ => format!("{what} actions, {} of {total}", first.saturating_add(members.len())),
    }
}

fn body(members: &[&mut Member]) -> InstallActionsRequest {
    InstallActionsRequest { actions: members.iter().map(|it| it.request.clone()).collect() }
}

fn said(why: Option<ErrorBody>) -> String {
    why.map_or_else(
        || "the runtime did not say what became of it".to_owned(),
        |why| Failure::of_run(&why.message).to_string(),
    )
}

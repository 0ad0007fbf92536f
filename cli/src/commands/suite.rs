//! `aileron action add-suite`: every question first and once, then the actions, many at a time. A
//! member that cannot be installed does not stop the others; all are told in declaration order.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use aileron_api::{
    batch::{self, InstallActionsRequest},
    error::ErrorBody,
    packages::{
        ActionPreview, ConnectorDependency, InstallActionRequest, InstallConnectorRequest,
        InstalledAction, ReadSuite, SuiteMember,
    },
};

use super::{
    binding, connector,
    install::{self, Bind, Choices, Memo},
};
use crate::{
    arguments::AddSuiteArguments,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::one_line,
};

pub(super) async fn add(
    arguments: &AddSuiteArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<Exit> {
    let printer = connection.printer;
    let source = source(&arguments.source)?;
    let working = printer.working("fetching the suite");
    let suite = person.client.read_suite(&source).await;
    drop(working);
    let suite = suite?.value;
    printer.say(one_line(&format!("Suite {}: {}", suite.name, suite.description)));
    let bind = match (arguments.no_bind, arguments.bind_all) {
        (true, _) => Bind::Never,
        (false, true) => Bind::Always,
        (false, false) => Bind::Offer,
    };
    let choices = Choices {
        force: arguments.force,
        yes: arguments.yes,
        accept_unsigned: arguments.accept_unsigned,
        bind,
    };
    let member = |package| Member::new(package, choices);
    let members = suite.actions.into_iter().map(member).collect();
    let mut adding = Adding { connection, person, choices, memo: Memo::default(), members };
    adding.ask_for_trust().await?;
    adding.preview().await?;
    adding.ask_for_consent().await?;
    adding.install().await?;
    adding.tell();
    if adding.members.iter().all(|member| member.installed().is_none()) {
        adding.memo.remind(printer);
    }
    adding.bind().await?;
    let done = adding.members.iter().filter(|member| member.installed().is_some()).count();
    let total = adding.members.len();
    printer.say(format!("{done} of {total} actions are installed"));
    Ok(if done == total { Exit::Done } else { Exit::Failed })
}

fn source(source: &str) -> Result<ReadSuite> {
    if source.contains("://") {
        return Ok(ReadSuite { source: Some(source.to_owned()), text: None });
    }
    let path = Path::new(source);
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    Ok(ReadSuite { source: None, text: Some(text) })
}

/// One action of the suite on its way.
struct Member {
    request: InstallActionRequest,
    /// None as well when the caller may install but not look.
    preview: Option<ActionPreview>,
    /// How it ended, once it has; a failure in words for the person.
    outcome: Option<std::result::Result<InstalledAction, String>>,
}

impl Member {
    fn new(package: SuiteMember, choices: Choices) -> Self {
        let SuiteMember { fqn, version } = package;
        let force = choices.force;
        let request = InstallActionRequest { fqn, version, force, ..Default::default() };
        Self { request, preview: None, outcome: None }
    }

    fn waits(&self) -> bool {
        self.outcome.is_none()
    }

    fn installed(&self) -> Option<&InstalledAction> {
        self.outcome.as_ref()?.as_ref().ok()
    }

    /// Connectors it needs and that are not installed.
    fn lacks(&self) -> impl Iterator<Item = &ConnectorDependency> {
        let needed = self.preview.iter().flat_map(|preview| &preview.connector_deps);
        needed.filter(|needed| !needed.already_installed)
    }

    fn fails(&mut self, why: impl Into<String>) {
        self.outcome = Some(Err(why.into()));
    }
}

struct Adding<'a, 'b> {
    connection: &'a Connection<'b>,
    person: &'a Person,
    choices: Choices,
    memo: Memo,
    members: Vec<Member>,
}

impl Adding<'_, '_> {
    /// Each publisher is asked about once.
    async fn ask_for_trust(&mut self) -> Result<()> {
        let mut answers: BTreeMap<String, std::result::Result<(), String>> = BTreeMap::new();
        for member in &mut self.members {
            let repository = install::authority_of(&member.request.fqn);
            if !answers.contains_key(&repository) {
                let (memo, yes) = (&mut self.memo, self.choices.yes);
                let fqn = &member.request.fqn;
                let asked = install::ensure_trust(self.connection, self.person, memo, fqn, yes);
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
            let last = first.saturating_add(members.len());
            let working =
                printer.working(format!("fetching and verifying actions, {last} of {total}"));
            let answer = person.client.preview_actions(&body(&members)).await;
            drop(working);
            let previews = match answer {
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

    /// Each connector is shown and asked about once, and each action that nobody signed.
    async fn ask_for_consent(&mut self) -> Result<()> {
        let printer = self.connection.printer;
        let mut answers: BTreeMap<(String, String), std::result::Result<(), String>> =
            BTreeMap::new();
        for member in &mut self.members {
            let Some(preview) = member.preview.as_ref().filter(|_| member.outcome.is_none()) else {
                continue;
            };
            let allowed = install::refuse_takeover(preview, self.choices.force)
                .and_then(|()| install::agree_to_unsigned(printer, preview, self.choices));
            match in_words(allowed)? {
                Ok(accept) => member.request.accept_unsigned = accept,
                Err(why) => {
                    member.fails(why);
                    continue;
                }
            }
            let lacking: Vec<_> = member.lacks().cloned().collect();
            for needed in lacking {
                member.request.auto_install_connectors = true;
                let key = (needed.fqn.clone(), needed.hash.clone());
                if !answers.contains_key(&key) {
                    let (connection, person) = (self.connection, self.person);
                    let asked =
                        consent(connection, person, &mut self.memo, needed, self.choices.yes);
                    answers.insert(key.clone(), in_words(asked.await)?);
                }
                if let Some(Err(why)) = answers.get(&key) {
                    member.fails(why);
                }
            }
        }
        Ok(())
    }

    async fn install(&mut self) -> Result<()> {
        let total = self.members.len();
        let (person, printer) = (self.person, self.connection.printer);
        for (first, members) in groups(&mut self.members) {
            let last = first.saturating_add(members.len());
            let working = printer.working(format!("installing actions, {last} of {total}"));
            let answer = person.client.install_actions(&body(&members)).await;
            drop(working);
            let items = match answer {
                Ok(answer) => answer.value.items,
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

    fn tell(&self) {
        let printer = self.connection.printer;
        for member in &self.members {
            match &member.outcome {
                Some(Ok(installed)) => {
                    install::report(printer, installed, member.preview.as_ref());
                    binding::mention_stale(printer, &installed.newly_stale_bindings);
                }
                Some(Err(why)) => {
                    let InstallActionRequest { fqn, version, .. } = &member.request;
                    printer.cross(format!("{}: {why}", one_line(&format!("{fqn}@{version}"))));
                }
                None => {}
            }
        }
        let lenient =
            |member: &&Member| member.preview.as_ref().is_some_and(|it| !it.lenient.is_empty());
        let count = self.members.iter().filter(lenient).count();
        if count > 0 {
            printer.say(format!(
                "note: {count} of {} actions go beyond the published grammar, as generated ones \
                 do: their types are shown but not enforced",
                self.members.len()
            ));
        }
    }

    async fn bind(&mut self) -> Result<()> {
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
}

async fn consent(
    connection: &Connection<'_>,
    person: &Person,
    memo: &mut Memo,
    needed: ConnectorDependency,
    yes: bool,
) -> Result<()> {
    install::ensure_trust(connection, person, memo, &needed.fqn, yes).await?;
    let request = InstallConnectorRequest {
        fqn: needed.fqn,
        version: needed.version,
        expected_hash: Some(needed.hash),
    };
    connector::consent(connection.printer, person, &request, yes).await.map(drop)
}

/// A failure of one member goes into the report; a person who wants to stop stops everything.
fn in_words<T>(result: Result<T>) -> Result<std::result::Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Interrupted) => Err(Failure::Interrupted),
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

fn body(members: &[&mut Member]) -> InstallActionsRequest {
    InstallActionsRequest { actions: members.iter().map(|it| it.request.clone()).collect() }
}

fn said(why: Option<ErrorBody>) -> String {
    why.map_or_else(
        || "the runtime did not say what became of it".to_owned(),
        |why| Failure::of_run(&why.message).to_string(),
    )
}

//! `aileron sync`: the connectors that action files ask for, and their credentials.

use aileron_api::{
    packages::InstallConnectorRequest,
    upkeep::{MissingConnector, Sync, SyncResponse},
};

use super::{
    binding, connector, drift,
    install::{self, Memo},
};
use crate::{
    arguments::SyncArguments,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    progress::watched,
};

pub(super) async fn run(arguments: SyncArguments, connection: &Connection<'_>) -> Result<Exit> {
    let person = connection.person(None).await?;
    let done = Box::pin(sync(arguments, connection, &person)).await;
    person.leave().await;
    done
}

async fn sync(
    arguments: SyncArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<Exit> {
    let SyncArguments { bind_all, yes, json } = arguments;
    let printer = connection.printer.without_progress_if(json);
    let needs = person.client.needs().await?.value;
    if needs.actions_unreadable > 0 {
        let count = needs.actions_unreadable;
        printer.cross(format!("{count} action files cannot be read: aileron action list"));
    }
    let asking = Asking { printer, connection, person, yes };
    let (agreed, refused) = asking.about(needs.missing).await?;
    let body = Sync { auto_install: None, only: Some(agreed) };
    let answer = person.client.sync(&body);
    let doing = "installing".to_owned();
    let answer = watched(printer, &person.client, doing, answer).await?;
    if json {
        printer.data(answer.raw);
    }
    let synced = answer.value;
    report(connection, &synced);
    let bound = bind(connection, person, &synced, bind_all).await;
    let failed = refused + synced.install_failures.len() + bound?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// Whoever is asked, connector by connector, about trust and consent.
struct Asking<'a> {
    printer: Printer,
    connection: &'a Connection<'a>,
    person: &'a Person,
    /// `--yes` was given.
    yes: bool,
}

impl Asking<'_> {
    /// The hashes of those that were agreed to, and how many were not.
    async fn about(&self, missing: Vec<MissingConnector>) -> Result<(Vec<String>, usize)> {
        let (mut agreed, mut refused, mut memo) = (Vec::new(), 0_usize, Memo::default());
        for connector in missing {
            match self.about_one(&mut memo, &connector).await {
                Ok(()) => agreed.push(connector.hash),
                Err(stopped @ Failure::Stopped(_)) => return Err(stopped),
                Err(failure) => {
                    refused += 1;
                    let MissingConnector { fqn, version, .. } = connector;
                    self.printer.cross(format!("{fqn}@{version}: {failure}"));
                }
            }
        }
        if refused > 0 {
            memo.remind(self.printer);
        }
        Ok((agreed, refused))
    }

    async fn about_one(&self, memo: &mut Memo, missing: &MissingConnector) -> Result<()> {
        let Self { printer, connection, person, yes } = *self;
        let MissingConnector { fqn, version, hash, needed_by, accepted } = missing;
        let needed_by = needed_by.join(", ");
        printer.say(format!("{fqn}@{version} is needed by {needed_by}"));
        // Whoever put an action file here has not said whom to trust: nobody says yes to that in
        // advance.
        let trusting = install::ensure_trust(connection, person, memo, fqn, yes && *accepted).await;
        if let Err(failure) = trusting {
            if yes && !accepted && !matches!(failure, Failure::Stopped(_)) {
                return Err(Failure::plain(format!(
                    "its publisher is not trusted, and only actions that nobody accepted here ask for \
                     it ({needed_by}): look at them first (aileron action accept), or trust the \
                     publisher (aileron keyring trust)"
                )));
            }
            return Err(failure);
        }
        let request = InstallConnectorRequest {
            fqn: fqn.clone(),
            version: version.clone(),
            expected_hash: Some(hash.clone()),
        };
        connector::consent(printer, person, &request, yes).await?;
        Ok(())
    }
}

fn report(connection: &Connection<'_>, synced: &SyncResponse) {
    let printer = connection.printer;
    for installed in &synced.installed {
        printer.tick(format!("Installed {}@{}", installed.fqn, installed.version));
        binding::mention_stale(printer, &installed.newly_stale_bindings);
    }
    for failure in &synced.install_failures {
        let failed = Failure::of_run(&failure.error);
        printer.cross(format!("{}@{}: {failed}", failure.fqn, failure.version));
    }
    let (needed, there) = (synced.required.len(), synced.already_installed.len());
    let actions = synced.actions_seen;
    printer.say(format!("{actions} actions ask for {needed} connectors; {there} are installed"));
}

/// Binds what is unbound, or says how. How many could not be bound that were to be.
async fn bind(
    connection: &Connection<'_>,
    person: &Person,
    synced: &SyncResponse,
    all: bool,
) -> Result<usize> {
    let mut failed = 0_usize;
    for need in &synced.unbound {
        let fqn = &need.connector_fqn;
        if !all {
            connection.printer.say(format!(
                "{fqn} needs a credential ({}): aileron binding setup {fqn}",
                need.kind
            ));
            continue;
        }
        match binding::offer(connection, person, fqn, true).await {
            Ok(true) => {}
            Ok(false) => failed += 1,
            Err(stopped @ Failure::Stopped(_)) => return Err(stopped),
            Err(failure) => {
                failed += 1;
                connection.printer.cross(format!("{fqn}: {failure}"));
            }
        }
    }
    drift::mention(connection.printer, connection.client.status().await?.value.drift_count > 0);
    Ok(failed)
}

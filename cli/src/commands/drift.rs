//! `aileron action drift` and `aileron action accept`: what is no longer as it was accepted.

use std::collections::BTreeSet;

use aileron_api::{
    packages::InstallConnectorRequest,
    upkeep::{AcceptConnector, AcceptDrift, Drift, DriftFilter, DriftKind, MissingConnector},
};

use super::{
    connector,
    install::{self, Memo},
    package,
};
use crate::{
    arguments::AcceptArguments,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    terminal,
};

/// Shows what drifted: the differences as data, so that they can be kept.
pub(super) async fn list(
    connection: &Connection<'_>,
    name: Option<String>,
    json: bool,
) -> Result<Exit> {
    let answer = connection.client.drift(&DriftFilter { name }).await?;
    let printer = connection.printer;
    if json {
        printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    if answer.value.items.is_empty() {
        printer.say("everything is as it was accepted");
    }
    for drift in &answer.value.items {
        show(drift, |line| printer.data(line));
    }
    Ok(Exit::Done)
}

/// Shows what is to be accepted, asks once, and accepts that and nothing else.
pub(super) async fn accept(
    connection: &Connection<'_>,
    arguments: &AcceptArguments,
) -> Result<Exit> {
    let person = connection.person_of_vault().await?;
    let done = if arguments.yes && !person.has_session() {
        Err(Failure::plain(
            "--yes accepts without a question for a person only: give the passphrase in \
             AILERON_VAULT_PASSPHRASE; a program with a token names the digest of what it was \
             shown (POST /v1/actions/NAME/accept)",
        ))
    } else {
        accept_shown(connection, &person, arguments).await
    };
    person.leave().await;
    done
}

async fn accept_shown(
    connection: &Connection<'_>,
    person: &Person,
    arguments: &AcceptArguments,
) -> Result<Exit> {
    let AcceptArguments { name, all, lock, yes } = arguments;
    let filter = DriftFilter { name: name.clone() };
    let mut found = person.client.drift(&filter).await?.value.items;
    if !all {
        found.retain(|drift| (drift.kind == DriftKind::Lock) == *lock);
    }
    let printer = connection.printer;
    if found.is_empty() {
        if let Some(name) = name {
            // Says so when there is no such action.
            person.client.action(name).await?;
        }
        printer.say("nothing waits: everything is as it was accepted");
        return Ok(Exit::Done);
    }
    for drift in &found {
        show(drift, |line| printer.say(line));
    }
    let (waiting, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|drift| drift.digest.is_some());
    let [first, rest @ ..] = &waiting[..] else {
        return Err(Failure::plain("that cannot be accepted as it is"));
    };
    let question = match rest.len() {
        0 => format!("Accept {} as it is?", one_line(&first.name)),
        more => format!("Accept all {} as they are?", more + 1),
    };
    let mut memo = Memo::default();
    let blocked = show_connectors(connection, person, &mut memo, &waiting, *yes).await?;
    if !yes && !terminal::confirm(printer, &question)? {
        memo.remind(printer);
        return Err(Failure::Declined);
    }
    let (blocked, waiting): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|drift| blocked.contains(&drift.name));
    for drift in &blocked {
        printer.cross(one_line(&format!("{}: not accepted", drift.name)));
    }
    let failed =
        blocked.len() + accept_each(connection, person, waiting).await? + unsettled(&others);
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// What the connectors may do that stand in the store, accepted by nobody, and that become
/// installed with this: as before every installation. Returns the names of what cannot be accepted
/// without one that was not shown.
async fn show_connectors(
    connection: &Connection<'_>,
    person: &Person,
    memo: &mut Memo,
    waiting: &[Drift],
    yes: bool,
) -> Result<BTreeSet<String>> {
    let mut blocked = BTreeSet::new();
    let waits = |name: &str| waiting.iter().any(|drift| drift.name == name);
    let everything = person.client.drift(&DriftFilter::default()).await?.value.items;
    let standing: BTreeSet<String> = everything
        .into_iter()
        .filter(|drift| drift.kind == DriftKind::Connector && drift.digest.is_some())
        .map(|drift| drift.name)
        .collect();
    for missing in person.client.needs().await?.value.missing {
        let MissingConnector { fqn, version, hash, needed_by, .. } = missing;
        let name = format!("{fqn}@{version}");
        let needed = waits(&name) || needed_by.iter().any(|action| waits(action));
        if !needed || !standing.contains(&name) {
            continue;
        }
        let request = InstallConnectorRequest { fqn, version, expected_hash: Some(hash) };
        match show_connector(connection, person, memo, &request, yes).await {
            Ok(()) => {}
            Err(stopped @ Failure::Stopped(_)) => return Err(stopped),
            Err(failure) => {
                connection.printer.cross(format!("{}: {failure}", one_line(&name)));
                blocked.insert(name);
                blocked.extend(needed_by);
            }
        }
    }
    Ok(blocked)
}

/// Trust first, without which nothing verifies. Nobody says yes to that in advance: whoever put
/// files here has not said whom to trust.
async fn show_connector(
    connection: &Connection<'_>,
    person: &Person,
    memo: &mut Memo,
    request: &InstallConnectorRequest,
    yes: bool,
) -> Result<()> {
    if yes && !install::is_trusted(person, &request.fqn).await? {
        let authority = install::authority_of(&request.fqn);
        return Err(Failure::plain(format!(
            "its publisher is not trusted, and --yes does not answer for that: aileron keyring \
             trust {}",
            one_line(&authority)
        )));
    }
    install::ensure_trust(connection, person, memo, &request.fqn, yes).await?;
    // Only shown: the question comes once, for everything.
    match connector::consent(connection.printer, person, request, true).await? {
        Some(_) => Ok(()),
        None => Err(Failure::plain("this token may not look at connectors: packages:preview")),
    }
}

/// Connectors first, because actions need them. How many could not be accepted.
async fn accept_each(
    connection: &Connection<'_>,
    person: &Person,
    mut waiting: Vec<Drift>,
) -> Result<usize> {
    let printer = connection.printer;
    waiting.sort_by_key(|drift| drift.kind != DriftKind::Connector);
    let (mut failed, mut missing) = (0_usize, false);
    for drift in waiting {
        let name = drift.name.clone();
        match accept_one(person, drift).await {
            Ok(lacks) => {
                printer.tick(format!("Accepted {name}"));
                missing |= lacks;
            }
            Err(stopped @ Failure::Stopped(_)) => return Err(stopped),
            Err(failure) => {
                failed += 1;
                printer.cross(format!("{name}: {failure}"));
            }
        }
    }
    if missing {
        printer.say("Connectors are missing: aileron sync");
    }
    Ok(failed)
}

/// True when connectors of an action are not installed.
async fn accept_one(person: &Person, drift: Drift) -> Result<bool> {
    let Drift { kind, name, digest, .. } = drift;
    let body = AcceptDrift { digest: digest.unwrap_or_default() };
    let accepted = match kind {
        DriftKind::Action => person.client.accept_action(&name, &body).await?,
        DriftKind::Lock => person.client.accept_lock(&body).await?,
        DriftKind::Connector => {
            let (fqn, version) = package::named(&name, None)?;
            let version = version.unwrap_or_default();
            let body = AcceptConnector { fqn, version, digest: body.digest };
            person.client.accept_connector(&body).await?
        }
    };
    Ok(!accepted.value.missing_connectors.is_empty())
}

/// Those that wait for something else than a person's word. A missing connector is no failure of
/// accepting.
fn unsettled(others: &[Drift]) -> usize {
    others.iter().filter(|drift| drift.kind == DriftKind::Action).count()
}

/// What others wrote is marked line by line: none of it passes for ours.
fn show(drift: &Drift, line: impl Fn(&str)) {
    line(&one_line(&format!("{}: {}", drift.name, drift.message)));
    line(&one_line(&format!("  {}", drift.path)));
    // Not `lines`, which would hide a carriage return.
    for text in drift.difference.split_terminator('\n') {
        line(&format!("  | {text}"));
    }
    if drift.cut {
        line(&format!("  there is more: read {}", drift.path));
    }
}

/// One line for commands that are about something else.
pub(super) fn mention(printer: Printer, waits: bool) {
    if waits {
        printer.say("Not as you accepted it, and not used until you look: aileron action drift");
    }
}

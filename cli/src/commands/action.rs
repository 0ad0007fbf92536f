//! `aileron action …`, except `run`.

use std::path::Path;

use aileron_api::{
    actions::PatchAction,
    packages::{ReadSuite, SuiteMember},
    runs::{Run, RunFilter, RunState},
};

use super::install::{self, Bind, Choices, Memo};
use crate::{
    arguments::{ActionCommand, AddSuiteArguments},
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    table,
};

pub(super) async fn run(command: ActionCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        ActionCommand::Add(arguments) => {
            let (fqn, version) = install::versioned(&arguments.fqn, arguments.version.as_deref())?;
            let person = connection.person(None).await?;
            let choices = Choices {
                force: arguments.force,
                yes: arguments.yes,
                bind: if arguments.no_bind { Bind::Never } else { Bind::Offer },
            };
            let package = SuiteMember { fqn, version };
            let mut memo = Memo::default();
            let added = install::action(connection, &person, package, choices, &mut memo).await;
            person.leave().await;
            added?;
            Ok(Exit::Done)
        }
        ActionCommand::AddSuite(arguments) => {
            let person = connection.person(None).await?;
            let added = add_suite(&arguments, connection, &person).await;
            person.leave().await;
            added
        }
        ActionCommand::List { json } => list(connection, json).await,
        ActionCommand::Enable { name } => enable(connection, &name, true).await,
        ActionCommand::Disable { name } => enable(connection, &name, false).await,
        ActionCommand::Runs { action, state, limit, json } => {
            let state = state.as_deref().map(parse_state).transpose()?;
            let filter = RunFilter { action, state, session_id: None, limit: Some(limit) };
            runs(connection, &filter, json).await
        }
        // Has a file of its own.
        ActionCommand::Run(arguments) => super::run::run(&arguments, connection).await,
    }
}

/// Members install in declaration order; a failure does not stop the others.
async fn add_suite(
    arguments: &AddSuiteArguments,
    connection: &Connection<'_>,
    person: &Person,
) -> Result<Exit> {
    let printer = connection.printer;
    let source = suite_source(&arguments.source)?;
    let working = printer.working("fetching the suite");
    let suite = person.client.read_suite(&source).await;
    drop(working);
    let suite = suite?.value;
    printer.say(format!("Suite {}: {}", suite.name, suite.description));
    let bind = match (arguments.no_bind, arguments.bind_all) {
        (true, _) => Bind::Never,
        (false, true) => Bind::Always,
        (false, false) => Bind::Offer,
    };
    let choices = Choices { force: arguments.force, yes: arguments.yes, bind };
    let total = suite.actions.len();
    let mut memo = Memo::default();
    let mut failed = 0_usize;
    for member in suite.actions {
        let name = format!("{}@{}", member.fqn, member.version);
        let added = install::action(connection, person, member, choices, &mut memo).await;
        if let Err(failure) = added {
            failed += 1;
            printer.cross(format!("{name}: {failure}"));
        }
    }
    printer.say(format!("{} of {total} actions are installed", total - failed));
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

fn suite_source(source: &str) -> Result<ReadSuite> {
    if source.contains("://") {
        return Ok(ReadSuite { source: Some(source.to_owned()), text: None });
    }
    let path = Path::new(source);
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    Ok(ReadSuite { source: None, text: Some(text) })
}

async fn list(connection: &Connection<'_>, json: bool) -> Result<Exit> {
    let answer = connection.client.actions().await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    for error in &answer.value.load_errors {
        let place = if error.line > 0 { format!(":{}", error.line) } else { String::new() };
        connection.printer.cross(format!("{}{place}: {}", error.file, error.message));
    }
    let rows = answer.value.items.into_iter().map(|action| {
        let gated = action.approval.as_ref().is_some_and(|approval| approval.required);
        let state = match (action.pinned, action.enabled, gated) {
            (Some(false), _, _) => "changed since it was installed",
            (_, false, _) => "disabled",
            (_, true, true) => "asks you",
            (_, true, false) => "runs",
        };
        let connectors: Vec<_> = action
            .requires
            .connectors
            .iter()
            .map(|needed| format!("{}@{}", needed.name, needed.version))
            .collect();
        [action.name, state.to_owned(), action.version, action.source, connectors.join(" ")]
    });
    let nothing = "no actions are installed: aileron action add-suite SOURCE";
    table::print(
        connection.printer,
        nothing,
        ["NAME", "STATE", "VERSION", "SOURCE", "CONNECTORS"],
        rows,
    );
    Ok(Exit::Done)
}

async fn enable(connection: &Connection<'_>, name: &str, enabled: bool) -> Result<Exit> {
    let person = connection.person_of_vault().await?;
    let patched = person.client.patch_action(name, &PatchAction { enabled: Some(enabled) }).await;
    person.leave().await;
    patched?;
    let word = if enabled { "enabled" } else { "disabled" };
    connection.printer.tick(format!("{name} is {word}"));
    Ok(Exit::Done)
}

async fn runs(connection: &Connection<'_>, filter: &RunFilter, json: bool) -> Result<Exit> {
    let answer = connection.client.runs(filter).await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    let rows = answer.value.items.into_iter().map(|run| {
        let said = explanation(&run);
        [run.id, run.action_name, run.state.to_string(), table::time(&run.requested_at), said]
    });
    table::print(
        connection.printer,
        "no runs match",
        ["RUN", "ACTION", "STATE", "REQUESTED", "NOTE"],
        rows,
    );
    Ok(Exit::Done)
}

fn explanation(run: &Run) -> String {
    if run.quarantined {
        return "the record was altered: it will not run".to_owned();
    }
    run.failure
        .as_ref()
        .map(|failure| failure.error.message.clone())
        .or_else(|| run.reason.clone())
        .unwrap_or_default()
}

fn parse_state(raw: &str) -> Result<RunState> {
    serde_json::from_value(serde_json::Value::String(raw.to_owned())).map_err(|_| {
        Failure::plain(format!(
            "{raw:?} is no state: parked, approved, awaiting_vault, running, done, failed, \
             ambiguous, denied, expired"
        ))
    })
}

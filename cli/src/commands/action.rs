//! `aileron action …`, except `run`.

use aileron_api::{
    actions::PatchAction,
    packages::SuiteMember,
    runs::{Run, RunFilter, RunState},
};

use super::{
    drift,
    install::{self, Bind, Choices},
    package::{self, Wanted},
};
use crate::{
    arguments::ActionCommand,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    table,
};

pub(super) async fn run(command: ActionCommand, connection: &Connection<'_>) -> Result<Exit> {
    match command {
        ActionCommand::Add(arguments) => {
            let person = connection.person(None).await?;
            let choices = Choices {
                force: arguments.force,
                yes: arguments.yes,
                accept_unsigned: arguments.accept_unsigned,
                bind: if arguments.no_bind { Bind::Never } else { Bind::Offer },
            };
            let (name, version) = (&*arguments.fqn, arguments.version.as_deref());
            let added = add(connection, &person, name, version, choices).await;
            person.leave().await;
            added?;
            Ok(Exit::Done)
        }
        ActionCommand::AddSuite(arguments) => {
            let person = connection.person(None).await?;
            let added = super::suite::add(&arguments, connection, &person).await;
            person.leave().await;
            added
        }
        ActionCommand::List { json } => list(connection, json).await,
        ActionCommand::Enable { name } => enable(connection, &name, true).await,
        ActionCommand::Disable { name } => enable(connection, &name, false).await,
        ActionCommand::Drift { name, json } => drift::list(connection, name, json).await,
        ActionCommand::Accept(arguments) => drift::accept(connection, &arguments).await,
        ActionCommand::Runs { action, state, limit, json } => {
            let state = state.as_deref().map(parse_state).transpose()?;
            let filter = RunFilter { action, state, session_id: None, limit: Some(limit) };
            runs(connection, &filter, json).await
        }
        // Has a file of its own.
        ActionCommand::Run(arguments) => super::run::run(&arguments, connection).await,
        // Handled before a connection was made.
        #[cfg(feature = "runtime")]
        ActionCommand::New(_) => Ok(Exit::Done),
    }
}

async fn add(
    connection: &Connection<'_>,
    person: &Person,
    name: &str,
    version: Option<&str>,
    choices: Choices,
) -> Result<()> {
    let Wanted { fqn, version, hash: _ } =
        package::wanted(connection, person, "action", name, version).await?;
    let package = SuiteMember { fqn, version };
    install::action(connection, person, package, choices).await
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
    for warning in &answer.value.warnings {
        connection.printer.say(format!("note: {warning}"));
    }
    let waiting = answer.value.items.iter().filter(|action| action.pinned == Some(false)).count();
    let rows = answer.value.items.into_iter().map(|action| {
        let gated = action.approval.as_ref().is_some_and(|approval| approval.required);
        let state = match (action.pinned, action.enabled, gated) {
            (Some(false), _, _) => "not accepted",
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
    drift::mention(connection.printer, waiting > 0);
    Ok(Exit::Done)
}

async fn enable(connection: &Connection<'_>, name: &str, enabled: bool) -> Result<Exit> {
    let person = connection.person_of_vault().await?;
    let switched = switch(&person, name, enabled).await;
    person.leave().await;
    switched?;
    let word = if enabled { "enabled" } else { "disabled" };
    connection.printer.tick(format!("{name} is {word}"));
    Ok(Exit::Done)
}

/// The runtime would take a person's word for a file that nobody has looked at.
async fn switch(person: &Person, name: &str, enabled: bool) -> Result<()> {
    if enabled && person.client.action(name).await?.value.pinned == Some(false) {
        return Err(Failure::plain(format!(
            "{name} is not as you accepted it. Look at it first: aileron action accept {name}"
        )));
    }
    person.client.patch_action(name, &PatchAction { enabled: Some(enabled) }).await?;
    Ok(())
}

async fn runs(connection: &Connection<'_>, filter: &RunFilter, json: bool) -> Result<Exit> {
    let answer = connection.client.runs(filter).await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(Exit::Done);
    }
    let rows = answer.value.items.into_iter().map(|run| {
        let said = explanation(&run);
        let action = match &run.identity {
            Some(identity) => format!("{} as {identity}", run.action_name),
            None => run.action_name,
        };
        [run.id, action, run.state.to_string(), table::time(&run.requested_at), said]
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

//! `aileron action add-suite`: its actions are told in declaration order, whatever became of each.

use std::path::Path;

use aileron_api::packages::ReadSuite;

use super::install::{Bind, Choices, Installing};
use crate::{
    arguments::AddSuiteArguments,
    connection::{Connection, Person},
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
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
    let mut adding = Installing::new(connection, person, choices(arguments), suite.actions);
    adding.run().await?;
    tell(printer, &adding);
    adding.remind();
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

fn choices(arguments: &AddSuiteArguments) -> Choices {
    let bind = match (arguments.no_bind, arguments.bind_all) {
        (true, _) => Bind::Never,
        (false, true) => Bind::Always,
        (false, false) => Bind::Offer,
    };
    Choices {
        force: arguments.force,
        yes: arguments.yes,
        accept_unsigned: arguments.accept_unsigned,
        bind,
    }
}

fn tell(printer: Printer, adding: &Installing<'_, '_>) {
    for member in &adding.members {
        if let Some(Err(why)) = &member.outcome {
            let package = format!("{}@{}", member.request.fqn, member.request.version);
            printer.cross(format!("{}: {why}", one_line(&package)));
        }
        member.tell(printer);
    }
    let lenient = adding.members.iter().filter(|member| {
        member.preview.as_ref().is_some_and(|preview| !preview.lenient.is_empty())
    });
    let count = lenient.count();
    if count > 0 {
        printer.say(format!(
            "note: {count} of {} actions go beyond the published grammar, as generated ones do: \
             their types are shown but not enforced",
            adding.members.len()
        ));
    }
}

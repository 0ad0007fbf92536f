//! `aileron connector check`: what publishers have released since.

use aileron_api::releases::{ConnectorUpdate, UpdateFilter};

use crate::{connection::Connection, exit::Exit, failure::Result, table};

/// Reports for every connector in use. Ends as failed when one of them could not be looked up:
/// that a newer version exists is no failure.
pub(super) async fn run(
    connection: &Connection<'_>,
    include_prerelease: bool,
    json: bool,
) -> Result<Exit> {
    let printer = connection.printer;
    let filter = UpdateFilter { include_prerelease };
    // Private repositories are looked up for persons.
    let person = connection.person_at_hand().await?;
    let client = person.as_ref().map_or(&connection.client, |person| &person.client);
    let working = printer.working("looking up releases");
    let answer = client.check_connectors(&filter).await;
    drop(working);
    if let Some(person) = person {
        person.leave().await;
    }
    let answer = answer?;
    let results = answer.value.results;
    let failed = results.iter().any(|update| update.error.is_some());
    let exit = if failed { Exit::Failed } else { Exit::Done };
    if json {
        printer.data(answer.raw);
        return Ok(exit);
    }
    for update in &results {
        if let Some(error) = &update.error {
            printer.cross(format!("{}@{}: {error}", update.fqn, update.current_version));
        }
    }
    let newer: Vec<String> = results.iter().filter_map(newest).collect();
    let nothing = "no connectors are installed, and no action names one";
    let headings = ["CONNECTOR", "CURRENT", "LATEST", "STATUS"];
    table::print(printer, nothing, headings, results.into_iter().map(row));
    if !newer.is_empty() {
        printer
            .say("An action names the version of its connector: newer actions bring newer ones.");
        for package in newer {
            printer.say(format!("  aileron connector install {package}"));
        }
    }
    Ok(exit)
}

fn newest(update: &ConnectorUpdate) -> Option<String> {
    let version = update.available_versions.first()?;
    Some(format!("{}@{version}", update.fqn))
}

fn row(update: ConnectorUpdate) -> [String; 4] {
    let status = match (&update.error, update.available_versions.len(), &update.latest_version) {
        (Some(_), _, _) => "unknown".to_owned(),
        (None, 0, None) => "nothing published".to_owned(),
        (None, 0, Some(_)) => "up to date".to_owned(),
        (None, 1, _) => "update available".to_owned(),
        (None, more, _) => format!("update available ({more} newer versions)"),
    };
    let latest = update.latest_version.unwrap_or_else(|| "-".to_owned());
    [update.fqn, update.current_version, latest, status]
}

//! `aileron connector check`: what publishers have released since.

use std::collections::BTreeSet;

use aileron_api::releases::{ConnectorUpdate, UpdateFilter};

use crate::{connection::Connection, exit::Exit, failure::Result, table};

/// Reports for every connector in use. Ends as failed when one of them could not be looked up:
/// that a newer version exists is no failure.
pub(super) async fn run(
    connection: &Connection<'_>,
    include_prerelease: bool,
    json: bool,
) -> Result<Exit> {
    let printer = connection.printer.without_progress_if(json);
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
    let newer = offered(&results);
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

/// The newest versions, each once, that are not in use yet.
fn offered(results: &[ConnectorUpdate]) -> BTreeSet<String> {
    let named = |fqn: &str, version: &str| format!("{fqn}@{version}");
    let newest =
        |update: &ConnectorUpdate| Some(named(&update.fqn, update.available_versions.first()?));
    let in_use: BTreeSet<String> =
        results.iter().map(|update| named(&update.fqn, &update.current_version)).collect();
    let newest: BTreeSet<String> = results.iter().filter_map(newest).collect();
    newest.difference(&in_use).cloned().collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn update(current: &str, newer: &[&str]) -> ConnectorUpdate {
        ConnectorUpdate {
            fqn: "github://acme/notes".to_owned(),
            current_version: current.to_owned(),
            update_available: !newer.is_empty(),
            latest_version: newer.first().map(|&version| version.to_owned()),
            available_versions: newer.iter().map(|&version| version.to_owned()).collect(),
            error: None,
        }
    }

    #[test]
    fn a_newer_version_is_offered_once_and_not_when_it_is_in_use_already() {
        let offers =
            |results: &[ConnectorUpdate]| -> Vec<String> { offered(results).into_iter().collect() };
        let two = [update("1.0.0", &["1.2.0", "1.1.0"]), update("1.1.0", &["1.2.0"])];
        assert_eq!(offers(&two), ["github://acme/notes@1.2.0"]);
        let newest = update("1.2.0", &[]);
        assert!(offers(&[two[0].clone(), newest]).is_empty());
    }
}

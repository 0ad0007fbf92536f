//! `aileron hub …`.

mod show;

use std::time::{Duration, Instant};

use aileron_api::{
    client::Client,
    hub::{HubConflict, HubCopy, HubEntries, HubProblem, HubQuery},
};

use crate::{
    arguments::{HubCommand, HubKind},
    connection::{Connection, Person},
    exit::Exit,
    failure::Result,
    printer::{Printer, one_line},
    table,
};

pub(super) async fn run(command: HubCommand, connection: &Connection<'_>) -> Result<Exit> {
    let word = |kind: Option<HubKind>| kind.map(|kind| kind.text().to_owned());
    match command {
        HubCommand::List { kind, json } => {
            let query = HubQuery { q: None, kind: word(kind) };
            list(connection, &query, json, "the Hub lists nothing of this kind").await?;
        }
        HubCommand::Search { query, kind, json } => {
            let nothing =
                format!("the Hub lists nothing with {query:?} in its name or description");
            let query = HubQuery { q: Some(query), kind: word(kind) };
            list(connection, &query, json, &nothing).await?;
        }
        HubCommand::Show { fqn, kind, json } => show::show(connection, fqn, kind, json).await?,
        HubCommand::Refresh { json } => refresh(connection, json).await?,
    }
    Ok(Exit::Done)
}

/// Programs have the Hub asked once in a while. Whoever waits at a terminal for more is asked to be
/// a person.
async fn refresh(connection: &Connection<'_>, json: bool) -> Result<()> {
    let (printer, began) = (connection.printer.without_progress_if(json), Instant::now());
    let asked = async |client: &Client| {
        let _working = printer.working("asking the Hub");
        client.refresh_hub().await
    };
    let as_person = async |person: Person| {
        let answer = asked(&person.client).await;
        person.leave().await;
        answer
    };
    let answer = if let Some(person) = connection.person_at_hand().await? {
        as_person(person).await?
    } else {
        let answer = asked(&connection.client).await?;
        // A second for rounding: an older copy was not asked for now.
        let paced = answer.value.age_seconds > began.elapsed().as_secs() + 1;
        if paced && connection.could_ask().await? {
            let age = age(Duration::from_secs(answer.value.age_seconds));
            printer.say(format!("The Hub was asked {age}: only a person asks again so soon."));
            as_person(connection.person_of_vault().await?).await?
        } else {
            answer
        }
    };
    if json {
        printer.data(answer.raw);
    } else {
        tell_age(printer, &answer.value);
    }
    Ok(())
}

async fn list(
    connection: &Connection<'_>,
    query: &HubQuery,
    json: bool,
    nothing: &str,
) -> Result<()> {
    let printer = connection.printer.without_progress_if(json);
    let working = printer.working("looking at the Hub");
    let answer = connection.client.hub(query).await;
    drop(working);
    let answer = answer?;
    if json {
        printer.data(answer.raw);
        return Ok(());
    }
    tables(printer, &answer.value, nothing);
    conflicts(printer, &answer.value);
    for line in told_once(&answer.value.problems) {
        printer.cross(one_line(&line));
    }
    tell_age(printer, &answer.value.copy);
    Ok(())
}

/// One table for each kind that has entries, an empty line between them.
fn tables(printer: Printer, entries: &HubEntries, nothing: &str) {
    let mut some = false;
    let mut apart = || {
        if std::mem::replace(&mut some, true) {
            printer.data("");
        }
    };
    if let Some(connectors) = entries.connectors.as_ref().filter(|list| !list.is_empty()) {
        apart();
        let rows = connectors.iter().map(|it| [it.fqn.clone(), it.description.clone()]);
        table::print(printer, nothing, ["CONNECTOR", "DESCRIPTION"], rows);
    }
    if let Some(actions) = entries.actions.as_ref().filter(|list| !list.is_empty()) {
        apart();
        let rows = actions.iter().map(|it| [it.fqn.clone(), it.description.clone()]);
        table::print(printer, nothing, ["ACTION", "DESCRIPTION"], rows);
    }
    if let Some(suites) = entries.suites.as_ref().filter(|list| !list.is_empty()) {
        apart();
        let rows = suites.iter().map(|it| {
            [it.fqn.clone(), it.member_actions.len().to_string(), it.description.clone()]
        });
        table::print(printer, nothing, ["SUITE", "ACTIONS", "DESCRIPTION"], rows);
    }
    if !some {
        printer.say(nothing);
    }
}

fn conflicts(printer: Printer, entries: &HubEntries) {
    let connectors = entries.connectors.iter().flatten().map(|it| (&it.fqn, &it.conflicts));
    let actions = entries.actions.iter().flatten().map(|it| (&it.fqn, &it.conflicts));
    let suites = entries.suites.iter().flatten().map(|it| (&it.fqn, &it.conflicts));
    for (fqn, conflicts) in connectors.chain(actions).chain(suites) {
        mark(printer, fqn, conflicts);
    }
}

/// What contradicts what; nobody is trusted because of such an entry.
fn mark(printer: Printer, fqn: &str, conflicts: &[HubConflict]) {
    for conflict in conflicts {
        printer.cross(one_line(&format!("{fqn}: {} ({})", conflict.detail, conflict.kind)));
    }
}

/// What is wrong with the Hub's entries: each message once, at the first place that has it, with
/// how many have it, too. All of them are data of `--json`.
fn told_once(problems: &[HubProblem]) -> Vec<String> {
    let mut told: Vec<(&HubProblem, usize)> = Vec::new();
    for problem in problems {
        match told.iter_mut().find(|(first, _)| first.message == problem.message) {
            Some((_, more)) => *more += 1,
            None => told.push((problem, 0)),
        }
    }
    let line = |(HubProblem { file, line, message }, more): (&HubProblem, usize)| {
        let place = match (file.as_str(), line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}: "),
        };
        let more = match more {
            0 => String::new(),
            1 => " (and at 1 other place)".to_owned(),
            more => format!(" (and at {more} other places)"),
        };
        format!("{place}{message}{more}")
    };
    told.into_iter().map(line).collect()
}

fn tell_age(printer: Printer, copy: &HubCopy) {
    if let Some(warning) = &copy.warning {
        printer.cross(one_line(&format!("this copy of the Hub is old: {warning}")));
    }
    let commit = copy.commit.as_deref().map(|commit| commit.chars().take(12).collect::<String>());
    let commit = commit.map(|commit| format!(" at {commit}")).unwrap_or_default();
    let age = age(Duration::from_secs(copy.age_seconds));
    printer.say(one_line(&format!("Hub: {}{commit}, checked {age}", copy.source)));
}

fn age(age: Duration) -> String {
    match age.as_secs() {
        0..60 => "just now".to_owned(),
        seconds @ 60..3_600 => format!("{} min ago", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_at_many_places_is_said_once() {
        let problem = |file: &str, line, message: &str| HubProblem {
            file: file.to_owned(),
            line,
            message: message.to_owned(),
        };
        let told = told_once(&[
            problem("a.jsonl", 3, "no name"),
            problem("b.jsonl", 0, "not UTF-8"),
            problem("a.jsonl", 4, "no name"),
            problem("c.jsonl", 1, "no name"),
            problem("d.jsonl", 0, "not UTF-8"),
            problem("", 0, "7 more problems"),
        ]);
        let expected = [
            "a.jsonl:3: no name (and at 2 other places)",
            "b.jsonl: not UTF-8 (and at 1 other place)",
            "7 more problems",
        ];
        assert_eq!(told, expected);
        assert!(told_once(&[]).is_empty());
    }

    #[test]
    fn an_age_is_told_in_the_largest_fitting_unit() {
        for (seconds, told) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (3_600, "1 h ago"),
            (172_799, "47 h ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), told);
        }
    }
}

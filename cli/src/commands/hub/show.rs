//! One entry.

use aileron_api::hub::{HubAction, HubConnector, HubName, HubSuite};

use super::mark;
use crate::{
    arguments::HubKind,
    connection::Connection,
    failure::{Failure, Result},
    printer::Printer,
    table,
};

pub(super) async fn show(
    connection: &Connection<'_>,
    fqn: String,
    kind: Option<HubKind>,
    json: bool,
) -> Result<()> {
    let printer = connection.printer;
    let kind = match kind {
        Some(kind) => kind,
        None => kind_of(&fqn)?,
    };
    let name = HubName { fqn };
    let client = &connection.client;
    let raw = match kind {
        HubKind::Connectors => {
            let answer = client.hub_connector(&name).await?;
            if !json {
                connector(connection, &answer.value).await;
            }
            answer.raw
        }
        HubKind::Actions => {
            let answer = client.hub_action(&name).await?;
            if !json {
                action(printer, &answer.value);
            }
            answer.raw
        }
        HubKind::Suites => {
            let answer = client.hub_suite(&name).await?;
            if !json {
                suite(printer, &answer.value);
            }
            answer.raw
        }
    };
    if json {
        printer.data(raw);
    }
    Ok(())
}

/// A name says what it is the name of.
fn kind_of(fqn: &str) -> Result<HubKind> {
    let rest = fqn.split_once("://").map_or("", |(_, rest)| rest);
    let mut path = rest.split('/').skip(2);
    match path.next() {
        None => Ok(HubKind::Connectors),
        Some("actions") => Ok(HubKind::Actions),
        Some("suite" | "suites") => Ok(HubKind::Suites),
        Some(_) => Err(Failure::plain(format!(
            "{fqn} names nothing of the Hub: github://owner/repo is a connector, \
             …/actions/name an action, …/suite and …/suites/name a suite"
        ))),
    }
}

/// The publisher's key is fetched, and told beside what is trusted already.
async fn connector(connection: &Connection<'_>, entry: &HubConnector) {
    let printer = connection.printer;
    let working = printer.working("fetching the publisher's key");
    let decision = if entry.conflicts.is_empty() {
        let name = HubName { fqn: entry.fqn.clone() };
        Some(connection.client.install_decision(&name).await)
    } else {
        None
    };
    drop(working);
    let (fingerprint, trust, risks) = match &decision {
        Some(Ok(answer)) => (
            answer.value.fingerprint.clone(),
            answer.value.trust_state.clone(),
            answer.value.risk_indicators.join(", "),
        ),
        _ => (String::new(), String::new(), String::new()),
    };
    table::facts(
        printer,
        &[
            ("Connector", entry.fqn.clone()),
            ("Description", entry.description.clone()),
            ("Publisher", entry.publisher_github.clone()),
            ("Key", entry.key_url.clone()),
            ("Fingerprint", fingerprint),
            ("Trust", trust),
            ("Risks", risks),
            ("Releases", entry.release_pattern.clone()),
        ],
    );
    if let Some(Err(error)) = decision {
        printer.cross(format!("the key is not known: {}", Failure::from(error)));
    }
    mark(printer, &entry.fqn, &entry.conflicts);
}

fn action(printer: Printer, entry: &HubAction) {
    table::facts(
        printer,
        &[
            ("Action", entry.fqn.clone()),
            ("Description", entry.description.clone()),
            ("Publisher", entry.publisher_github.clone()),
            ("Connector", entry.connector_fqn.clone()),
            ("Category", entry.category.clone().unwrap_or_default()),
            ("Intents", entry.intents.join(" / ")),
        ],
    );
    mark(printer, &entry.fqn, &entry.conflicts);
}

fn suite(printer: Printer, entry: &HubSuite) {
    let mut facts = vec![
        ("Suite", entry.fqn.clone()),
        ("Description", entry.description.clone()),
        ("Publisher", entry.publisher_github.clone()),
        ("Category", entry.category.clone().unwrap_or_default()),
    ];
    facts.extend(entry.connectors_required.iter().map(|fqn| ("Connector", fqn.clone())));
    facts.extend(entry.member_actions.iter().map(|fqn| ("Action", fqn.clone())));
    table::facts(printer, &facts);
    mark(printer, &entry.fqn, &entry.conflicts);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_kind() {
        for (fqn, kind) in [
            ("github://a/b", HubKind::Connectors),
            ("github://a/b/actions/c", HubKind::Actions),
            ("github://a/b/suite", HubKind::Suites),
            ("github://a/b/suites/c", HubKind::Suites),
        ] {
            assert_eq!(kind_of(fqn).unwrap(), kind);
        }
        assert!(kind_of("github://a/b/c").is_err());
    }
}

//! What the Hub says about a connector that is installed for the first time, and whether to go on:
//! the first question, before trust and before the connector itself is looked at.

use aileron_api::hub::{HubName, InstallDecision};

use crate::{
    commands::{install::Memo, keyring},
    connection::{Connection, Person},
    failure::{Failure, Result},
    printer::{Printer, one_line},
    terminal::{self, Answer},
};

/// Shows the Hub's entry and asks. What the Hub does not list, or cannot be asked about, goes the
/// ordinary way. Agreeing trusts the publisher, when its repository publishes the very key that the
/// Hub names; otherwise the trust prompt comes as always.
pub(super) async fn decide(
    connection: &Connection<'_>,
    person: &Person,
    memo: &mut Memo,
    fqn: &str,
    yes: bool,
) -> Result<()> {
    let printer = connection.printer;
    let Some(decision) = listed(connection, person, fqn).await? else { return Ok(()) };
    say(printer, &summary(&decision));
    if yes {
        return if decision.trust_state == CONFLICT {
            Err(Failure::plain(format!(
                "another key of {} is trusted than the one the Hub names, and --yes does not \
                 answer for that; nothing was installed",
                one_line(&decision.publisher_github)
            )))
        } else {
            Ok(())
        };
    }
    loop {
        match terminal::choose(printer, "Install it?")? {
            Answer::Yes => break,
            Answer::No => return Err(Failure::NotInstalled),
            Answer::Details => say(printer, &details(&decision)),
        }
    }
    if decision.trust_state == UNKNOWN {
        trust(person, printer, memo, &decision).await?;
    }
    Ok(())
}

const UNKNOWN: &str = "unknown";
const TRUSTED: &str = "already_trusted";
const CONFLICT: &str = "conflict";

/// The Hub's word, for a connector of which no version is installed.
async fn listed(
    connection: &Connection<'_>,
    person: &Person,
    fqn: &str,
) -> Result<Option<InstallDecision>> {
    if !fqn.starts_with("github://") {
        return Ok(None);
    }
    let installed = match connection.client.connectors().await {
        Ok(answer) => answer.value.items.iter().any(|connector| connector.fqn == fqn),
        Err(error) if Failure::lacks_right(&error) => true,
        Err(error) => return Err(error.into()),
    };
    if installed {
        return Ok(None);
    }
    let working = connection.printer.working(format!("asking the Hub about {fqn}"));
    let decision = person.client.install_decision(&HubName { fqn: fqn.to_owned() }).await;
    drop(working);
    match decision {
        Ok(answer) => Ok(Some(answer.value)),
        Err(error) if Failure::lacks_right(&error) => Ok(None),
        Err(error) => match error.code() {
            Some("not_found" | "hub_disabled") => Ok(None),
            Some("hub_unreachable" | "key_fetch_failed") => {
                let failure = Failure::from(error);
                connection.printer.say(one_line(&format!("The Hub says nothing: {failure}")));
                Ok(None)
            }
            _ => Err(error.into()),
        },
    }
}

fn say(printer: Printer, lines: &[String]) {
    for line in lines {
        printer.say(line);
    }
}

/// What others wrote stays on one line of ours.
fn summary(decision: &InstallDecision) -> Vec<String> {
    let trust = match decision.trust_state.as_str() {
        TRUSTED => "you trust this key",
        CONFLICT => "! you trust another key of this publisher",
        _ => "not trusted yet; installing it trusts this key for every package of its owner",
    };
    let mut lines = vec![
        format!("The Hub lists {}: {}", one_line(&decision.fqn), one_line(&decision.description)),
        format!("  Publisher: {}", one_line(&decision.publisher_github)),
        format!("  Key:       {}", one_line(&decision.fingerprint)),
        format!("  Trust:     {trust}"),
    ];
    let grave = |risk: &&String| **risk != "sole_listing" && **risk != "other_key_trusted";
    let risks = decision.risk_indicators.iter().filter(grave);
    lines.extend(risks.map(|risk| format!("  ! {}", sentence(risk))));
    lines
}

/// Connectors of a publisher that are listed one by one.
const SHOWN: usize = 20;

fn details(decision: &InstallDecision) -> Vec<String> {
    let mut lines = vec!["  What this publisher lists in the Hub:".to_owned()];
    let footprint = &decision.publisher_footprint;
    lines.extend(footprint.iter().take(SHOWN).map(|fqn| format!("    {}", one_line(fqn))));
    if let Some(more) = footprint.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines
            .push(format!("    and {more} more: aileron hub search {}", decision.publisher_github));
    }
    lines.push("  What speaks against trusting at once:".to_owned());
    let risks = decision.risk_indicators.iter();
    lines.extend(risks.map(|risk| format!("    {}", sentence(risk))));
    if decision.risk_indicators.is_empty() {
        lines.push("    nothing that the Hub shows".to_owned());
    }
    lines.push("  Its hosts and its credential are shown next, before anything is written.".into());
    lines
}

fn sentence(risk: &str) -> String {
    match risk {
        "duplicate_fqn" => "several entries of the Hub claim this name".to_owned(),
        "publisher_mismatch" => "the entry names another publisher than its repository".to_owned(),
        "other_key_trusted" => "another key of this publisher is trusted".to_owned(),
        "sole_listing" => "the publisher lists nothing else".to_owned(),
        "outdated_copy" => "this copy of the Hub is older than it should be".to_owned(),
        "keyring_unverified" => {
            "whom you trust cannot be told: the vault is locked, or the keyring was changed"
                .to_owned()
        }
        other => one_line(other),
    }
}

/// The person agreed to the key of that fingerprint, and to no other.
async fn trust(
    person: &Person,
    printer: Printer,
    memo: &mut Memo,
    decision: &InstallDecision,
) -> Result<()> {
    let published = person.client.look_up_key(&keyring::look_up(&decision.fqn)).await?.value;
    if published.key.fingerprint != decision.fingerprint {
        printer.cross(one_line(&format!(
            "its repository publishes another key than the Hub names: {}",
            published.key.fingerprint
        )));
        return Ok(());
    }
    if !published.trusted && keyring::offer_trust(person, printer, &published, true).await? {
        memo.trusts(keyring::owner_of(&decision.fqn));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(trust: &str, risks: &[&str]) -> InstallDecision {
        InstallDecision {
            fqn: "github://acme/notes".to_owned(),
            description: "Notes\n  Trust:     you trust this key".to_owned(),
            publisher_github: "acme".to_owned(),
            fingerprint: "sha256:key".to_owned(),
            trust_state: trust.to_owned(),
            publisher_footprint: (0..25).map(|it| format!("github://acme/c{it}")).collect(),
            risk_indicators: risks.iter().map(|&risk| risk.to_owned()).collect(),
        }
    }

    #[test]
    fn the_first_look_tells_key_and_trust_and_what_is_grave() {
        let lines = summary(&decision(UNKNOWN, &["sole_listing", "publisher_mismatch"]));
        assert_eq!(
            lines,
            [
                "The Hub lists github://acme/notes: Notes\\n  Trust:     you trust this key",
                "  Publisher: acme",
                "  Key:       sha256:key",
                "  Trust:     not trusted yet; installing it trusts this key for every package of \
                 its owner",
                "  ! the entry names another publisher than its repository",
            ]
        );
        let lines = summary(&decision(CONFLICT, &["other_key_trusted"]));
        assert_eq!(lines[3..], ["  Trust:     ! you trust another key of this publisher"]);
    }

    #[test]
    fn the_details_are_bounded() {
        let lines = details(&decision(TRUSTED, &[]));
        assert_eq!(lines.len(), 25);
        assert_eq!(lines[21], "    and 5 more: aileron hub search acme");
        assert_eq!(lines[23], "    nothing that the Hub shows");
    }
}

//! What is no longer as the person accepted it: the difference, and the form that accepts it.

mod along;

use aileron_contract::{
    Reason,
    names::{ActionName, PackageRef, Sha256Hash},
    packages::{Acceptance, Accepted, Drift, DriftOf, DriftState},
};
use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, page},
    frame::Frame,
    signed::{Posted, Signed},
    text::{encoded, said, shown},
};
use crate::Shared;
use along::Along;

pub(super) async fn list(State(shared): State<Shared>, signed: Signed) -> Result<Response> {
    let found = found(&shared, &signed, None).await?;
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Changed since you accepted it" }
        p.quiet { "What is listed here is not used until you accept it or install it again." }
        (cards(found.as_ref(), &frame))
        @if found.as_ref().is_some_and(|found| found.drifted.is_empty()) {
            p.empty { "Everything is as you accepted it." }
        }
    };
    Ok(page(frame.around("Changed files", false, content)))
}

/// Accepts what was shown, and nothing that came after.
pub(super) async fn accept(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let which = fields.filled("which").unwrap_or_default();
    let of = match fields.needed("of")?.as_str() {
        "action" => DriftOf::Action(which.parse().map_err(back)?),
        "connector" => DriftOf::Connector(which.parse().map_err(back)?),
        "lock" => DriftOf::Lock,
        _ => return Err(Problem::new(Reason::InvalidBody, "of: action, connector or lock")),
    };
    let digest: Sha256Hash = fields.needed("digest")?.parse().map_err(back)?;
    let to = match &of {
        DriftOf::Action(name) => format!("actions/{}", encoded(name.as_str())),
        DriftOf::Connector(_) | DriftOf::Lock => "drift".to_owned(),
    };
    let acceptance = Acceptance { of, digest };
    let accepted = shared.services.packages.accept(&signed.context, acceptance).await;
    let Accepted { already: _, missing } = accepted.map_err(back)?;
    if missing.is_empty() {
        return Ok(signed.on_to(&to));
    }
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Accepted" }
        p { "It needs connectors that are not installed: " code { "aileron sync" } " gets them." }
        ul.list { @for package in &missing { li { code { (said(package)) } } } }
        p { a.button href=(to) { "Go on" } }
    };
    Ok(page(frame.around("Accepted", false, content)))
}

/// What drifted, and the connectors that accepting it would install.
pub(super) struct Found {
    drifted: Vec<Drift>,
    along: Vec<Along>,
}

/// All of it, or that of one action; none while the vault is locked, which alone can tell.
pub(super) async fn found(
    shared: &Shared,
    signed: &Signed,
    only: Option<ActionName>,
) -> Result<Option<Found>> {
    match shared.services.packages.drift(&signed.context, only).await {
        Ok(drifted) => {
            let along = along::with(shared, signed, &drifted).await?;
            Ok(Some(Found { drifted, along }))
        }
        Err(error) if error.reason() == Reason::VaultLocked => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// One card for each, with its difference.
pub(super) fn cards(found: Option<&Found>, frame: &Frame) -> Markup {
    html! {
        @match found {
            Some(found) => @for drift in &found.drifted { (card(drift, &found.along, frame)) },
            None => p.notice.warn {
                "Only the vault can tell what changed: " a href="vault" { "unlock it" } "."
            },
        }
    }
}

fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("drift", "Look again")
}

fn card(drift: &Drift, along: &[Along], frame: &Frame) -> Markup {
    let (of, which) = subject(&drift.of);
    let along: Vec<_> = along.iter().filter(|it| it.comes_with(&drift.of)).collect();
    let digest = drift.digest.filter(|_| along.iter().all(|it| it.is_shown()));
    let heading = format!("drift-{of}-{which}");
    html! {
        article.card aria-labelledby=(heading) {
            p.badge.warn { (word(drift.state)) }
            h2 id=(heading) {
                @match &drift.of {
                    DriftOf::Action(name) => a href={ "actions/" (encoded(name.as_str())) } {
                        (said(name))
                    },
                    DriftOf::Connector(package) => (said(package)),
                    DriftOf::Lock => "actions.lock",
                }
            }
            p { (shown(&drift.message)) }
            p.quiet { code { (shown(&drift.path)) } }
            @if !drift.difference.is_empty() { (difference(&drift.difference)) }
            @if drift.cut { p.quiet { "There is more: the rest stands in the file." } }
            @for connector in &along { (connector.told(&drift.of)) }
            @if let Some(digest) = digest {
                form.decide method="post" action="drift/accept" {
                    (frame.token())
                    input type="hidden" name="of" value=(of);
                    input type="hidden" name="which" value=(which);
                    input type="hidden" name="digest" value=(digest);
                    div.row {
                        button.primary {
                            @if drift.of == DriftOf::Lock {
                                "Have it written anew"
                            } @else {
                                "Accept it as shown" span.aside { " " (said(&which)) }
                            }
                        }
                    }
                }
            } @else if drift.digest.is_none() {
                p.quiet { "It cannot be accepted as it is: install it again." }
            }
        }
    }
}

fn subject(of: &DriftOf) -> (&'static str, String) {
    match of {
        DriftOf::Action(name) => ("action", name.to_string()),
        DriftOf::Connector(PackageRef { fqn, version }) => {
            ("connector", format!("{fqn}@{version}"))
        }
        DriftOf::Lock => ("lock", String::new()),
    }
}

fn word(state: DriftState) -> &'static str {
    match state {
        DriftState::Unaccepted => "NOT ACCEPTED YET",
        DriftState::Changed => "CHANGED",
        DriftState::Reworded => "SHOWN DIFFERENTLY",
        DriftState::Unreadable => "UNREADABLE",
        DriftState::Missing => "GONE",
        DriftState::RecordAltered => "RECORD ALTERED",
    }
}

/// A unified diff, line by line: nothing of it is markup, and what was hidden is spelt out.
fn difference(text: &str) -> Markup {
    html! {
        pre.diff tabindex="0" {
            @for (index, line) in text.lines().enumerate() {
                @match line.as_bytes().first() {
                    // Which side is which.
                    Some(b'+' | b'-') if index < 2 && line.get(3..4) == Some(" ") => {
                        span.quiet { (shown(line)) "\n" }
                    },
                    Some(b'@') => span.quiet { (shown(line)) "\n" },
                    Some(b'+') => ins { (shown(line)) "\n" },
                    Some(b'-') => del { (shown(line)) "\n" },
                    _ => span { (shown(line)) "\n" },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_text_and_hides_nothing() {
        let told = difference("-<b>old</b>\n+pay \u{202e}evil\n same").into_string();
        assert!(told.contains("<del>-&lt;b&gt;old&lt;/b&gt;\n</del>"), "{told}");
        assert!(told.contains("<ins>+pay <mark class=\"odd\">\\u{202e}</mark>evil\n</ins>"));
        assert!(told.contains("<span> same\n</span>"));
    }
}

//! The form: what is agreed to, in full, and then the fields of the credential's kind.

use aileron_contract::{
    bindings::{Binding, BindingStatus, StaleReason},
    credential::{CredentialKind, Oauth2Client},
    names::HostPort,
};
use maud::{Markup, html};

use super::{
    super::{
        frame::Frame,
        text::{said, shown},
    },
    shown_name,
};
use crate::declared::Declared;

pub(super) fn offer(declared: &Declared, existing: Option<&Binding>, frame: &Frame) -> Markup {
    let given = declared.need().kind() == CredentialKind::Oauth2;
    html! {
        @match existing {
            Some(binding) => {
                h1 { "Bind " (said(&binding.name)) " again" }
                @if let Some(reason) = binding.stale_reason {
                    p.notice.warn { (why(reason)) }
                }
            }
            None => h1 { "Bind a credential" },
        }
        @if !frame.unlocked() {
            p.notice.warn {
                "The vault is locked: " a href="vault" { "unlock it" } " before you go on."
            }
        }
        section.card aria-labelledby="agreed" {
            h2 id="agreed" { "What you agree to" }
            (agreed(declared, existing))
        }
        section.card aria-labelledby="credential" {
            @if given {
                (at_provider(declared, existing, frame))
            } @else {
                (typed(declared, existing, frame))
            }
        }
        @if let Some(binding) = existing && !given && keepable(binding, declared) {
            section.card aria-labelledby="kept" {
                h2 id="kept" { "Or keep the credential you gave" }
                p { "It stays as it is, and may go to the hosts above." }
                form method="post" action="bindings/setup" {
                    (hidden(declared, existing, frame, "keep"))
                    div.row { button { "Agree to these hosts" } }
                }
            }
        }
        p { a href="bindings" { "Back to the bindings" } }
    }
}

/// Why a binding waits for the person, in a sentence.
pub(in crate::pages) fn why(reason: StaleReason) -> &'static str {
    match reason {
        StaleReason::HostsAdded => "The connector wants to send the credential to further hosts.",
        StaleReason::ScopeDrift => "The connector asks for more than the provider has granted.",
        StaleReason::NoGrantRecord => "Nobody wrote down what the provider has granted.",
        StaleReason::RefreshRejected => "The provider gives no new tokens for it any more.",
        StaleReason::RefreshLost => "New tokens were asked for, and the answer was lost.",
        StaleReason::Unknown => "It cannot be used as it is.",
    }
}

/// The consent alone can be renewed when the hosts are all that it waits for.
fn keepable(binding: &Binding, declared: &Declared) -> bool {
    let others = binding.hosts.as_deref() != Some(declared.hosts());
    match (binding.status, binding.stale_reason) {
        (BindingStatus::Stale, reason) => reason.is_none_or(StaleReason::ends_with_consent),
        (BindingStatus::Active, _) => others,
        (BindingStatus::Revoked, _) => false,
    }
}

fn agreed(declared: &Declared, existing: Option<&Binding>) -> Markup {
    let before = existing.and_then(|binding| binding.hosts.as_deref());
    let missing = existing.map(|it| it.missing_scopes.as_slice()).unwrap_or_default();
    let is_new = |host: &HostPort| before.is_some_and(|before| !before.contains(host));
    html! {
        p {
            strong { (said(declared.connector())) } " may use the credential at these hosts, and "
            "nowhere else:"
        }
        ul.list {
            @for host in declared.hosts() {
                li { code { (said(host)) } @if is_new(host) { " " strong.warn { "new" } } }
            }
        }
        dl.facts {
            dt { "Kind" } dd { (declared.need().kind()) }
            dt { "Sent as" } dd { code { (said(&declared.need().form)) } }
            @if let Some(scope) = &declared.need().scope { dt { "For" } dd { (shown(scope)) } }
            @if let Some(client) = declared.need().oauth2.as_ref() {
                dt { "Provider" } dd { code { (shown(&shown_name(&client.authorize_url))) } }
                dt { "Asks for" }
                dd {
                    @for scope in client.scopes() {
                        code { (shown(scope)) }
                        @if missing.contains(scope) { " " strong.warn { "new" } }
                        " "
                    }
                }
            }
        }
    }
}

fn at_provider(declared: &Declared, existing: Option<&Binding>, frame: &Frame) -> Markup {
    let named =
        declared.need().oauth2.as_ref().map(|it| shown_name(&it.authorize_url)).unwrap_or_default();
    html! {
        h2 id="credential" { "Sign in at the provider" }
        p { "You are led to " strong { (shown(&named)) } " and back. Aileron never sees your password there." }
        form.stack method="post" action="bindings/setup" {
            (hidden(declared, existing, frame, "provider"))
            @if existing.is_none() { (naming()) }
            button.primary { "Go to " (shown(&named)) }
        }
    }
}

fn typed(declared: &Declared, existing: Option<&Binding>, frame: &Frame) -> Markup {
    html! {
        h2 id="credential" { "The credential" }
        p.quiet { "It goes into the vault and is shown to nobody again." }
        form.stack method="post" action="bindings/setup" autocomplete="off" {
            (hidden(declared, existing, frame, "value"))
            @if existing.is_none() { (naming()) }
            (fields(declared.need().kind()))
            button.primary { "Agree and bind it" }
        }
    }
}

fn fields(kind: CredentialKind) -> Markup {
    match kind {
        CredentialKind::Basic => html! {
            div {
                label for="user" { "User name" }
                input id="user" name="user" required autocomplete="off" spellcheck="false";
            }
            (secret("value", "Password", true))
        },
        CredentialKind::AwsSigv4 => html! {
            div {
                label for="access_key_id" { "Access key id" span.quiet { " (optional)" } }
                input id="access_key_id" name="access_key_id" autocomplete="off" spellcheck="false";
            }
            (secret("value", "Secret access key", true))
            (secret("session_token", "Session token", false))
            div {
                label for="region" { "Region" span.quiet { " (optional)" } }
                input id="region" name="region" autocomplete="off" spellcheck="false";
            }
        },
        CredentialKind::ApiKey => secret("value", "Key", true),
        CredentialKind::Oauth2 | CredentialKind::Header | CredentialKind::Query => {
            secret("value", "Token", true)
        }
    }
}

/// A field that neither the screen nor the browser's memory keeps.
fn secret(name: &str, label: &str, required: bool) -> Markup {
    html! {
        div {
            label for=(name) {
                (label) @if !required { span.quiet { " (optional)" } }
            }
            input id=(name) name=(name) type="password" required[required]
                autocomplete="new-password" spellcheck="false";
        }
    }
}

fn naming() -> Markup {
    html! {
        div {
            label for="identity" { "What you call this account" }
            input id="identity" name="identity" value="default" required maxlength="64"
                autocomplete="off" aria-describedby="identity-hint";
            p.quiet id="identity-hint" { "A short word, such as work: calls can ask for it." }
        }
        div {
            label for="account" { "Account" span.quiet { " (optional)" } }
            input id="account" name="account" maxlength="200" autocomplete="off"
                aria-describedby="account-hint";
            p.quiet id="account-hint" { "For you to read, such as me@example.org." }
        }
    }
}

/// What the form was about, and what it showed: something else is refused.
fn hidden(declared: &Declared, existing: Option<&Binding>, frame: &Frame, how: &str) -> Markup {
    let hosts: Vec<String> = declared.hosts().iter().map(ToString::to_string).collect();
    let scopes = declared.need().oauth2.as_ref().map(Oauth2Client::scopes).unwrap_or_default();
    html! {
        (frame.token())
        @match existing {
            Some(binding) => input type="hidden" name="name" value=(binding.name);,
            None => input type="hidden" name="connector" value=(declared.connector());,
        }
        input type="hidden" name="hosts" value=(hosts.join(" "));
        input type="hidden" name="scopes" value=(scopes.join(" "));
        input type="hidden" name="how" value=(how);
    }
}

//! Bindings: which credentials connectors may use, where, and ending that.

use std::collections::BTreeSet;

use aileron_contract::{
    bindings::{Binding, BindingFilter, BindingStatus, Revoked},
    credential::CredentialKind,
    names::{BindingName, Fqn},
};
use axum::{extract::State, response::Response};
use http::Uri;
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, page},
    form::query,
    frame::Frame,
    setup::why,
    signed::{Posted, Signed},
    text::{encoded, said, shown, time},
};
use crate::Shared;

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
    uri: Uri,
) -> Result<Response> {
    let bound = query(&uri).filled("bound").and_then(|name| name.parse::<BindingName>().ok());
    let bindings = &shared.services.bindings;
    let bindings = bindings.list(&signed.context, BindingFilter::default()).await?;
    let connectors = shared.services.packages.connectors(&signed.context).await?;
    let needs = connectors.into_iter().filter(|it| it.capabilities.credential.is_some());
    let needs: BTreeSet<Fqn> = needs.map(|connector| connector.package.fqn).collect();
    let known = |name: &BindingName| bindings.iter().any(|binding| binding.name == *name);
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Bindings" }
        @if let Some(name) = bound.filter(known) {
            p.notice.good role="status" { strong { (said(&name)) } " is bound." }
        }
        p.quiet { "A binding lets one connector use one credential, at the hosts you agreed to." }
        @if bindings.is_empty() {
            p.empty { "No credential is bound." }
        }
        @for binding in &bindings { (card(binding, several(binding, &bindings), &frame)) }
        (further(&needs, &bindings))
    };
    Ok(page(frame.around("Bindings", false, content)))
}

pub(super) async fn revoke(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let name: BindingName = fields.needed("name")?.parse().map_err(back)?;
    let revoked = shared.services.bindings.revoke(&signed.context, name.clone()).await;
    let why = match revoked.map_err(back)? {
        Revoked::Here | Revoked::AtProvider => return Ok(signed.on_to("bindings")),
        Revoked::NotAtProvider(why) => why,
    };
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { (said(&name)) " is gone here" }
        p.notice.warn {
            "Its provider may still honour the tokens it gave: " (shown(&why)) ". You can take "
            "them back at the provider itself."
        }
        p { a.button href="bindings" { "Back to the bindings" } }
    };
    Ok(page(frame.around("Revoked", false, content)))
}

pub(super) async fn prefer(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let name: BindingName = fields.needed("name")?.parse().map_err(back)?;
    shared.services.bindings.set_default(&signed.context, name).await.map_err(back)?;
    Ok(signed.on_to("bindings"))
}

fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("bindings", "Back to the bindings")
}

/// Installed connectors that take a credential, those without any first.
fn further(needs: &BTreeSet<Fqn>, bindings: &[Binding]) -> Markup {
    let bound = |fqn: &&Fqn| bindings.iter().any(|binding| binding.connector == **fqn);
    let (again, first): (Vec<&Fqn>, Vec<&Fqn>) = needs.iter().partition(bound);
    let address = |fqn: &Fqn| format!("bindings/setup?connector={}", encoded(&fqn.to_string()));
    html! {
        @if !needs.is_empty() {
            h2 { "Bind another credential" }
            ul.list {
                @for fqn in first {
                    li.line {
                        span { (said(fqn)) " " span.chip.warn { "needs a credential" } }
                        a.button.primary href=(address(fqn)) {
                            "Set up" span.aside { " " (said(fqn)) }
                        }
                    }
                }
                @for fqn in again {
                    li.line {
                        span { (said(fqn)) }
                        a.button href=(address(fqn)) {
                            "Another account" span.aside { " of " (said(fqn)) }
                        }
                    }
                }
            }
        }
    }
}

/// Does a call have to choose?
fn several(binding: &Binding, all: &[Binding]) -> bool {
    let rival = |it: &&Binding| it.connector == binding.connector && it.kind == binding.kind;
    all.iter().filter(rival).count() > 1
}

fn card(binding: &Binding, several: bool, frame: &Frame) -> Markup {
    let heading = format!("binding-{}", binding.name);
    let (word, class) = match binding.status {
        BindingStatus::Active => ("Active", "chip good"),
        BindingStatus::Stale => ("Stale", "chip warn"),
        BindingStatus::Revoked => ("Revoked", "chip bad"),
    };
    let again = format!("bindings/setup?name={}", encoded(binding.name.as_str()));
    let stale = binding.status == BindingStatus::Stale;
    html! {
        article.card aria-labelledby=(heading) {
            p class=(class) { (word) }
            h2 id=(heading) { (said(&binding.name)) }
            @if let Some(reason) = binding.stale_reason {
                p.notice.warn {
                    (why(reason))
                    @for scope in &binding.missing_scopes { " " code { (shown(scope)) } }
                }
            }
            (facts(binding))
            div.row {
                a.button.primary[stale] href=(again) {
                    @if stale {
                        "Look and agree again"
                    } @else if binding.kind == CredentialKind::Oauth2 {
                        "Sign in again"
                    } @else {
                        "Replace"
                    }
                    span.aside { " " (said(&binding.name)) }
                }
                @if several && !binding.default {
                    form method="post" action="bindings/default" {
                        (frame.token())
                        input type="hidden" name="name" value=(binding.name);
                        button { "Use by default" span.aside { " " (said(&binding.name)) } }
                    }
                }
                (ending(binding, frame))
            }
        }
    }
}

/// Folded away: to open it is the first step, to press the second.
fn ending(binding: &Binding, frame: &Frame) -> Markup {
    html! {
        details.menu {
            summary.button { "Revoke" span.aside { " " (said(&binding.name)) } }
            form.pop method="post" action="bindings/revoke" {
                (frame.token())
                input type="hidden" name="name" value=(binding.name);
                p { "The credential is removed for good." }
                button.danger { "Revoke it" }
            }
        }
    }
}

fn facts(binding: &Binding) -> Markup {
    html! {
        dl.facts {
            dt { "Connector" } dd { (said(&binding.connector)) }
            @if let Some(account) = &binding.account { dt { "Account" } dd { (shown(account)) } }
            dt { "Hosts" }
            dd {
                @match &binding.hosts {
                    Some(hosts) => {
                        @for host in hosts { code { (said(host)) } " " }
                    },
                    None => "none were written down",
                }
            }
            @if !binding.granted_scopes.is_empty() {
                dt { "Granted" }
                dd { @for scope in &binding.granted_scopes { code { (shown(scope)) } " " } }
            }
            @if binding.default { dt { "Default" } dd { "yes" } }
            dt { "Created" } dd { (time(binding.created_at)) }
            @if let Some(at) = binding.last_used_at { dt { "Last used" } dd { (time(at)) } }
        }
    }
}

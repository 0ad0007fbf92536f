//! Bindings: which credentials connectors may use, where, and ending that.

use aileron_contract::{
    bindings::{Binding, BindingFilter, BindingStatus},
    names::BindingName,
};
use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, on_to, page},
    frame::Frame,
    signed::{Posted, Signed},
    text::{said, shown, time},
};
use crate::Shared;

pub(super) async fn show(State(shared): State<Shared>, signed: Signed) -> Result<Response> {
    let bindings = &shared.services.bindings;
    let bindings = bindings.list(&signed.context, BindingFilter::default()).await?;
    let frame = signed.frame(&shared).await?;
    let content = html! {
        h1 { "Bindings" }
        p.quiet {
            "A binding lets one connector use one credential, at the hosts you agreed to. "
            code { "aileron binding setup" } " makes one."
        }
        @if bindings.is_empty() {
            p.empty { "No credential is bound." }
        }
        @for binding in &bindings { (card(binding, &frame)) }
    };
    Ok(page(frame.around("Bindings", false, content)))
}

pub(super) async fn revoke(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let name: BindingName = fields.needed("name")?.parse().map_err(back)?;
    shared.services.bindings.revoke(&signed.context, name).await.map_err(back)?;
    Ok(on_to("/bindings"))
}

pub(super) async fn prefer(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let name: BindingName = fields.needed("name")?.parse().map_err(back)?;
    shared.services.bindings.set_default(&signed.context, name).await.map_err(back)?;
    Ok(on_to("/bindings"))
}

fn back(error: aileron_contract::Error) -> Problem {
    Problem::from(error).back_to("/bindings", "Back to the bindings")
}

fn card(binding: &Binding, frame: &Frame) -> Markup {
    let heading = format!("binding-{}", binding.name);
    let (word, class) = match binding.status {
        BindingStatus::Active => ("Active", "chip good"),
        BindingStatus::Stale => ("Stale", "chip warn"),
        BindingStatus::Revoked => ("Revoked", "chip bad"),
    };
    html! {
        article.card aria-labelledby=(heading) {
            p class=(class) { (word) }
            h2 id=(heading) { (said(&binding.name)) }
            @if let Some(reason) = &binding.stale_reason {
                p.notice.warn {
                    "Bind it again: " code { "aileron binding setup" } ". Reason: " (shown(reason))
                    @for scope in &binding.missing_scopes { " " code { (shown(scope)) } }
                }
            }
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
                @if binding.default { dt { "Default" } dd { "yes" } }
                dt { "Created" } dd { (time(binding.created_at)) }
                @if let Some(at) = binding.last_used_at { dt { "Last used" } dd { (time(at)) } }
            }
            div.row {
                @if !binding.default {
                    form method="post" action="/bindings/default" {
                        (frame.token())
                        input type="hidden" name="name" value=(binding.name);
                        button { "Use by default" span.aside { " " (said(&binding.name)) } }
                    }
                }
                details {
                    summary { "Revoke" span.aside { " " (said(&binding.name)) } }
                    form method="post" action="/bindings/revoke" {
                        (frame.token())
                        input type="hidden" name="name" value=(binding.name);
                        p { "The credential is removed for good." }
                        button.danger { "Revoke it" }
                    }
                }
            }
        }
    }
}

//! The vault: how it stands, unlocking and locking.

use std::sync::Arc;

use aileron_contract::{Reason, Secret, vault::State as VaultState};
use axum::{extract::State, response::Response};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, page, with_status},
    frame::Frame,
    signed::{Posted, Signed},
    text::shown,
};
use crate::Shared;

pub(super) async fn show(State(shared): State<Shared>, signed: Signed) -> Result<Response> {
    let frame = signed.frame(&shared).await?;
    Ok(page(frame.around("Vault", true, told(&frame, None))))
}

pub(super) async fn unlock(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let passphrase = Secret::from(fields.take("passphrase").unwrap_or_default());
    let (vault, context) = (Arc::clone(&shared.services.vault), signed.context.clone());
    let opened = shared.opening(async move { vault.unlock(&context, passphrase).await }).await;
    let refused = opened.err().filter(|error| error.reason() != Reason::VaultAlreadyUnlocked);
    let Some(error) = refused else { return Ok(signed.on_to("vault")) };
    let problem = Problem::from(error);
    let frame = signed.frame(&shared).await?;
    let told = told(&frame, Some(problem.message()));
    Ok(with_status(problem.status(), frame.around("Vault", false, told)))
}

pub(super) async fn lock(
    State(shared): State<Shared>,
    Posted { signed, .. }: Posted,
) -> Result<Response> {
    shared.services.vault.lock(&signed.context).await?;
    Ok(signed.on_to("vault"))
}

fn told(frame: &Frame, problem: Option<&str>) -> Markup {
    html! {
        h1 { "Vault" }
        @if let Some(problem) = problem {
            p.notice.bad id="problem" role="alert" { (shown(problem)) }
        }
        @match frame.vault {
            VaultState::Missing => p.notice.bad {
                "There is no vault yet: " code { "aileron vault init" } " makes one."
            },
            VaultState::Unlocked => {
                p.notice.good { "The vault is unlocked: calls get their credentials." }
                form method="post" action="vault/lock" {
                    (frame.token())
                    button { "Lock the vault" }
                }
                p.quiet { "Locking forgets every key, and signs you out here." }
            },
            VaultState::Locked => {
                p.notice.warn { "The vault is locked: calls that need a credential wait." }
                form.stack method="post" action="vault/unlock" {
                    (frame.token())
                    label for="passphrase" { "Passphrase" }
                    input id="passphrase" name="passphrase" type="password" required
                        autocomplete="current-password"
                        aria-describedby=[problem.map(|_| "problem")];
                    button.primary { "Unlock the vault" }
                }
            },
        }
    }
}

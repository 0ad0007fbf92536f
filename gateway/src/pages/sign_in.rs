//! Signing in, with the passphrase or with the code of `aileron open`, and signing out.

use aileron_contract::{
    Context, Error, Principal, Reason, Result as ServiceResult, Scope, Secret, Timestamp, vault,
};
use axum::{extract::State, response::Response};
use http::{HeaderValue, Uri, header};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, on_to, page, with_status},
    form::{Fields, own_path, query},
    frame,
    keep::{Admitted, Redeemed},
    place::Place,
    signed::{COOKIE, Posted},
    text::shown,
};
use crate::{Shared, refusals::Refused};

pub(super) async fn form(uri: Uri) -> Response {
    let mut query = query(&uri);
    let to = own_path(query.take("to").as_deref());
    page(asked(&to, query.take("over").is_some(), None))
}

/// The passphrase is the proof; what it opens is a person session, as everywhere.
pub(super) async fn by_passphrase(
    State(shared): State<Shared>,
    mut fields: Fields,
) -> Result<Response> {
    let to = own_path(fields.take("to").as_deref());
    let unlock = fields.take("unlock").is_some();
    let Some(passphrase) = fields.take("passphrase").filter(|typed| !typed.is_empty()) else {
        let public = "type the passphrase of the vault";
        let problem = Problem::new(Reason::PassphraseRejected, public);
        return Ok(with_status(problem.status(), asked(&to, true, Some(problem.message()))));
    };
    let passphrase = Secret::from(passphrase);
    let task = shared.clone();
    let opened = shared.detached(async move { open(&task, passphrase, unlock).await }).await;
    let (bearer, ends) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let problem = Problem::from(error);
            return Ok(with_status(problem.status(), asked(&to, true, Some(problem.message()))));
        }
    };
    let admitted = shared.pages.keep.admit(bearer, ends, (shared.options.clock)());
    let mut response = on_to(&admitted.place.at(&to));
    admit(&shared, &mut response, &admitted)?;
    Ok(response)
}

/// A code that `aileron open` was given, once and soon.
pub(super) async fn by_code(State(shared): State<Shared>, mut fields: Fields) -> Result<Response> {
    let to = own_path(fields.take("to").as_deref());
    let code = fields.needed("code")?;
    match shared.pages.keep.redeem(&code, (shared.options.clock)()) {
        Redeemed::SignedIn(admitted) => {
            // Asked for from another page, the browser would not bring its new cookie along.
            let mut response = page(frame::bounce(&admitted.place.at(&to), &html! {}));
            admit(&shared, &mut response, &admitted)?;
            Ok(response)
        }
        Redeemed::Replayed(bearer) => {
            tracing::warn!("a code for the page came twice; whoever it signed in is signed out");
            tell(&shared, Refused::Replayed).await;
            if let Some(bearer) = bearer {
                end(&shared, bearer).await?;
            }
            let public = "this code was used before: somebody else may have seen it, so whoever \
                          it signed in is signed out. Run aileron open again, or sign in with \
                          the passphrase";
            Err(refused(public))
        }
        Redeemed::Unknown => {
            tell(&shared, Refused::Unknown).await;
            let public = "this code is not known, or its time is over: run aileron open again, \
                          or sign in with the passphrase";
            Err(refused(public))
        }
    }
}

/// Ends this browser's session, or every person session there is.
pub(super) async fn out(
    State(shared): State<Shared>,
    Posted { signed, mut fields }: Posted,
) -> Result<Response> {
    let everywhere = fields.take("everywhere").is_some();
    let id = if everywhere {
        shared.pages.keep.forget_all();
        None
    } else {
        shared.pages.keep.forget(&signed.cookie);
        signed.session()
    };
    shared.services.access.close_sessions(&signed.context, id).await?;
    let mut response = on_to("/sign-in?over=yes");
    set_cookie(&shared, &mut response, &signed.place, &Secret::from(String::new()), 0)?;
    Ok(response)
}

async fn open(
    shared: &Shared,
    passphrase: Secret,
    unlock: bool,
) -> ServiceResult<(Secret, Timestamp)> {
    let asker = asker();
    let again = passphrase.duplicate();
    let opened = shared.services.access.open_session(&asker, passphrase).await?;
    if unlock {
        let vault = &shared.services.vault;
        let principal = Principal::Person(opened.session.id.as_str().into());
        let person = Context { principal, ..asker };
        if vault.status(&person).await?.state == vault::State::Locked {
            match vault.unlock(&person, again).await {
                Ok(_) => shared.wake().await,
                Err(error) if error.reason() == Reason::VaultAlreadyUnlocked => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok((opened.bearer, opened.session.expires_at))
}

/// Who stands at the door, as the services know them.
fn asker() -> Context {
    let scopes = [Scope::StatusRead].into_iter().collect();
    Context { scopes, ..Context::service(Principal::GATEWAY) }
}

/// Whatever becomes of the log, the browser is refused.
async fn tell(shared: &Shared, refused: Refused) {
    if let Err(error) = shared.refusals.tell(&asker(), refused).await {
        tracing::warn!(%error, "a refused code could not be recorded");
    }
}

async fn end(shared: &Shared, bearer: Secret) -> Result<()> {
    let Ok(caller) = shared.services.access.authenticate(bearer).await else { return Ok(()) };
    let Principal::Person(id) = &caller.principal else { return Ok(()) };
    let id = Some(id.to_string());
    let context = Context {
        principal: caller.principal.clone(),
        scopes: caller.scopes,
        ..Context::service(Principal::GATEWAY)
    };
    Ok(shared.services.access.close_sessions(&context, id).await?)
}

fn refused(public: &str) -> Problem {
    Problem::new(Reason::TokenInvalid, public).back_to("sign-in", "Sign in")
}

fn lifetime(shared: &Shared, ends: Timestamp) -> u64 {
    let left = ends.duration_since((shared.options.clock)()).as_secs();
    u64::try_from(left).unwrap_or(0)
}

fn admit(shared: &Shared, response: &mut Response, admitted: &Admitted) -> Result<()> {
    let Admitted { cookie, place, ends } = admitted;
    set_cookie(shared, response, place, cookie, lifetime(shared, *ends))
}

/// For this name and place alone, out of reach of scripts and of other sites' requests.
fn set_cookie(
    shared: &Shared,
    response: &mut Response,
    place: &Place,
    value: &Secret,
    life: u64,
) -> Result<()> {
    let secure = shared.pages.origin.as_ref().is_some_and(super::origin::Origin::is_secure);
    let secure = if secure { "; Secure" } else { "" };
    let value = value.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let path = place.base();
    let cookie =
        format!("{COOKIE}={value}; Path={path}; Max-Age={life}; HttpOnly; SameSite=Strict{secure}");
    let mut cookie = HeaderValue::from_str(&cookie).map_err(Error::internal)?;
    cookie.set_sensitive(true);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(())
}

fn asked(to: &str, over: bool, problem: Option<&str>) -> Markup {
    let form = html! {
        h1 { "Sign in" }
        p {
            "What only you may do needs the passphrase of your vault. It goes to the runtime on "
            "this machine and nowhere else."
        }
        @if let Some(problem) = problem {
            p.notice.bad id="problem" role="alert" { (shown(problem)) }
        }
        form.stack method="post" action="/sign-in" {
            input type="hidden" name="to" value=(to);
            label for="passphrase" { "Passphrase" }
            input id="passphrase" name="passphrase" type="password" required autofocus
                autocomplete="current-password"
                aria-describedby=[problem.map(|_| "problem")];
            label.check {
                input type="checkbox" name="unlock" value="yes" checked;
                " Unlock the vault as well, if it is locked"
            }
            button.primary { "Sign in" }
        }
        p.quiet { "From a terminal, " code { "aileron open" } " signs you in as well." }
    };
    frame::door(to, over, form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_what_went_wrong_and_where_it_leads() {
        let form = asked("/approvals?focus=<x>", true, Some("wrong <passphrase>")).into_string();
        assert!(form.contains("wrong &lt;passphrase&gt;"));
        assert!(form.contains("value=\"/approvals?focus=&lt;x&gt;\""));
    }
}

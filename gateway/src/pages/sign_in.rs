//! Signing in, with the passphrase or with the code of `aileron open`, and signing out.

use aileron_contract::{
    Context, Error, Principal, Reason, Result as ServiceResult, Scope, Secret, Timestamp, vault,
};
use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, Uri, header};
use maud::{Markup, html};

use super::{
    answer::{Problem, Result, on_to, page, with_status},
    form::{Fields, own_path, query},
    frame,
    keep::Redeemed,
    signed::{COOKIE, Posted, Signed, cookies},
    text::shown,
};
use crate::{Shared, routes::vault::wake};

pub(super) async fn form(
    State(shared): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response> {
    let to = own_path(query(&uri).take("to").as_deref());
    if Signed::find(&shared, &headers, "/sign-in").await?.is_some() {
        return Ok(on_to(&to));
    }
    Ok(page(asked(&to, None)))
}

/// The passphrase is the proof; what it opens is a person session, as everywhere.
pub(super) async fn by_passphrase(
    State(shared): State<Shared>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response> {
    let to = own_path(fields.take("to").as_deref());
    let unlock = fields.take("unlock").is_some();
    let Some(passphrase) = fields.take("passphrase").filter(|typed| !typed.is_empty()) else {
        let public = "type the passphrase of the vault";
        let problem = Problem::new(Reason::PassphraseRejected, public);
        return Ok(with_status(problem.status(), asked(&to, Some(problem.message()))));
    };
    let passphrase = Secret::from(passphrase);
    let task = shared.clone();
    let opened = shared.detached(async move { Ok(open(&task, passphrase, unlock).await?) }).await;
    let (bearer, ends) = match opened {
        Ok(opened) => opened,
        Err(refusal) => {
            let problem = Problem::from(refusal);
            return Ok(with_status(problem.status(), asked(&to, Some(problem.message()))));
        }
    };
    // Whoever was signed in here before is not, any more.
    leave(&shared, &headers).await?;
    let cookie = shared.pages.keep.admit(bearer, ends, (shared.options.clock)());
    let mut response = on_to(&to);
    let life = lifetime(&shared, ends);
    set_cookie(&shared, &mut response, &cookie, life)?;
    Ok(response)
}

/// A code that `aileron open` was given, once and soon.
pub(super) async fn by_code(
    State(shared): State<Shared>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response> {
    let to = own_path(fields.take("to").as_deref());
    let code = fields.needed("code")?;
    match shared.pages.keep.redeem(&code, (shared.options.clock)()) {
        Redeemed::SignedIn(cookie, ends) => {
            leave(&shared, &headers).await?;
            // Asked for from another page, the browser would not bring its new cookie along.
            let mut response = page(frame::bounce(&to));
            let life = lifetime(&shared, ends);
            set_cookie(&shared, &mut response, &cookie, life)?;
            Ok(response)
        }
        Redeemed::Replayed(bearer) => {
            tracing::warn!("a code for the page came twice; whoever it signed in is signed out");
            if let Some(bearer) = bearer {
                end(&shared, bearer).await?;
            }
            let public = "this code was used before: somebody else may have seen it, so whoever \
                          it signed in is signed out. Run aileron open again, or sign in with \
                          the passphrase";
            Err(refused(public))
        }
        Redeemed::Unknown => {
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
    let mut response = on_to("/sign-in");
    set_cookie(&shared, &mut response, &Secret::from(String::new()), 0)?;
    Ok(response)
}

async fn open(
    shared: &Shared,
    passphrase: Secret,
    unlock: bool,
) -> ServiceResult<(Secret, Timestamp)> {
    let scopes = [Scope::StatusRead].into_iter().collect();
    let asker = Context { scopes, ..Context::service("gateway") };
    let again = passphrase.duplicate();
    let opened = shared.services.access.open_session(&asker, passphrase).await?;
    if unlock {
        let vault = &shared.services.vault;
        let principal = Principal::Person(opened.session.id.as_str().into());
        let person = Context { principal, ..asker };
        if vault.status(&person).await?.state == vault::State::Locked {
            match vault.unlock(&person, again).await {
                Ok(_) => wake(shared).await,
                Err(error) if error.reason() == Reason::VaultAlreadyUnlocked => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok((opened.bearer, opened.session.expires_at))
}

/// Ends the session this browser had.
async fn leave(shared: &Shared, headers: &HeaderMap) -> Result<()> {
    let now = (shared.options.clock)();
    let Some(known) = shared.pages.keep.find(cookies(headers), now) else { return Ok(()) };
    shared.pages.keep.forget(&known.cookie);
    end(shared, known.bearer).await
}

async fn end(shared: &Shared, bearer: Secret) -> Result<()> {
    let Ok(caller) = shared.services.access.authenticate(bearer).await else { return Ok(()) };
    let Principal::Person(id) = &caller.principal else { return Ok(()) };
    let id = Some(id.to_string());
    let context = Context {
        principal: caller.principal.clone(),
        scopes: caller.scopes,
        ..Context::service("gateway")
    };
    Ok(shared.services.access.close_sessions(&context, id).await?)
}

fn refused(public: &str) -> Problem {
    Problem::new(Reason::TokenInvalid, public).back_to("/sign-in", "Sign in")
}

fn lifetime(shared: &Shared, ends: Timestamp) -> u64 {
    let left = ends.duration_since((shared.options.clock)()).as_secs();
    u64::try_from(left).unwrap_or(0)
}

/// For this name alone, out of reach of scripts and of other sites' requests.
fn set_cookie(shared: &Shared, response: &mut Response, value: &Secret, life: u64) -> Result<()> {
    let secure = shared.pages.origin.as_ref().is_some_and(super::origin::Origin::is_secure);
    let secure = if secure { "; Secure" } else { "" };
    let value = value.expose(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let cookie =
        format!("{COOKIE}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}");
    let mut cookie = HeaderValue::from_str(&cookie).map_err(Error::internal)?;
    cookie.set_sensitive(true);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(())
}

fn asked(to: &str, problem: Option<&str>) -> Markup {
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
    frame::bare("Sign in", form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_what_went_wrong_and_where_it_leads() {
        let form = asked("/approvals?focus=<x>", Some("wrong <passphrase>")).into_string();
        assert!(form.contains("wrong &lt;passphrase&gt;"));
        assert!(form.contains("value=\"/approvals?focus=&lt;x&gt;\""));
    }
}

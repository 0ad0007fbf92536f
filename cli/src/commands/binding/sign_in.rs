//! Signing in at a provider: in a browser on this machine, or on another one with a code.

use std::{future::Future, time::Duration};

use aileron_api::{
    Sensitive,
    bindings::Binding,
    oauth2::{Caller, Finish, Init, PollStatus, Wanted},
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    browser,
    redirect::{Arrived, Doorstep},
};
use crate::{
    arguments::SignIn,
    connection::Person,
    failure::{Failure, Result},
    printer::Printer,
};

/// As long as the runtime waits.
const PATIENCE: Duration = Duration::from_mins(10);

/// The daemon picks a port without holding it: somebody may be faster.
const ATTEMPTS: usize = 3;

pub(super) async fn sign_in(
    printer: Printer,
    person: &Person,
    wanted: Wanted,
    how: SignIn,
) -> Result<Binding> {
    if how.device {
        by_device(printer, person, wanted).await
    } else {
        by_browser(printer, person, wanted, how.no_browser).await
    }
}

async fn by_browser(
    printer: Printer,
    person: &Person,
    wanted: Wanted,
    no_browser: bool,
) -> Result<Binding> {
    let init = Init { wanted, caller: Caller::Cli, return_to: None };
    let mut taken = None;
    for _ in 0..ATTEMPTS {
        let begun = person.client.begin_oauth2(&init).await?.value;
        let doorstep = match Doorstep::take(&begun.redirect_uri, &begun.authorize_url).await {
            Ok(doorstep) => doorstep,
            Err(error) => {
                taken = Some(error);
                continue;
            }
        };
        printer.say("Sign in on this page:");
        printer.say(format!("  {}", begun.authorize_url));
        if !no_browser && !browser::open(&begun.authorize_url) {
            printer.say("No browser could be opened: open the address yourself.");
        }
        let _working = printer.working("waiting for you");
        let until = Instant::now() + PATIENCE;
        let minutes = PATIENCE.as_secs() / 60;
        let late =
            |_| Failure::plain(format!("nobody signed in within {minutes} minutes: begin again"));
        let arrived = timeout_at(until, doorstep.arrival()).await.map_err(late)??;
        return finished(person, begun.session_id, arrived).await;
    }
    let why = taken.map_or_else(String::new, |error| format!(": {error}"));
    Err(Failure::plain(format!(
        "no port of this machine could be listened on{why}; try again, or sign in elsewhere with \
         --device"
    )))
}

/// Ends the setup, and tells the browser how it ended.
async fn finished(person: &Person, session_id: Sensitive, arrived: Arrived) -> Result<Binding> {
    let Arrived { answer, state, iss, page } = arrived;
    let code = match answer {
        Ok(code) => code,
        Err(error) => {
            page.say("That did not work", "The provider gave no access.").await;
            return Err(Failure::plain(format!(
                "the provider sent you back without access ({error}): nothing was bound"
            )));
        }
    };
    let finish = Finish { session_id, code, state, iss };
    match person.client.finish_oauth2(&finish).await {
        Ok(answer) => {
            page.say("Done", "The credential is bound. You can close this page.").await;
            Ok(answer.value)
        }
        Err(error) => {
            page.say("That did not work", "The command line says more.").await;
            Err(error.into())
        }
    }
}

async fn by_device(printer: Printer, person: &Person, wanted: Wanted) -> Result<Binding> {
    let begun = person.client.begin_device(&wanted).await?.value;
    printer.say("On any machine with a browser, open");
    printer.say(format!("  {}", begun.verification_uri));
    printer.say(format!("and enter the code {}", begun.user_code));
    if let Some(whole) = &begun.verification_uri_complete {
        printer.say(format!("or open {whole} and compare the code"));
    }
    let _working = printer.working("waiting for you");
    let mut wait = begun.interval;
    loop {
        sleep(Duration::from_secs(wait.max(1))).await;
        let polled = patiently(|| person.client.poll_device(begun.session_id.clone())).await?;
        match (polled.status, polled.binding) {
            (PollStatus::Pending | PollStatus::SlowDown, _) => {
                wait = polled.interval.unwrap_or(wait);
            }
            (PollStatus::Done, Some(binding)) => return Ok(binding),
            (PollStatus::Done, None) => {
                return Err(Failure::plain("the runtime says it is done, and names no binding"));
            }
            (PollStatus::Denied, _) => {
                return Err(Failure::plain(
                    "access was refused at the provider: nothing was bound",
                ));
            }
            (PollStatus::Expired, _) => {
                return Err(Failure::plain("the code was not used in time: begin again"));
            }
        }
    }
}

/// A poll that got lost costs nothing: it is made once more.
async fn patiently<T, F>(poll: impl Fn() -> F) -> Result<T, aileron_api::client::Error>
where
    F: Future<Output = Result<aileron_api::client::Answer<T>, aileron_api::client::Error>>,
{
    match poll().await {
        Err(error) if error.api().is_none() => {
            sleep(Duration::from_secs(1)).await;
            poll().await.map(|answer| answer.value)
        }
        answer => answer.map(|answer| answer.value),
    }
}

//! `aileron open`: the web page in the person's browser, signed in.
//!
//! Nothing secret stands on a browser's command line or in an address, where every program of this
//! machine could read it: the browser opens a file of the person's own, which posts a code that is
//! good once and for half a minute, and the file goes when the code has.

mod handover;

use std::time::Duration;

use aileron_api::client::Client;

use super::binding::browser;
use crate::{
    arguments::OpenTarget,
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
};
use handover::Handover;

pub(super) use handover::sweep;

/// How often the runtime is asked whether the browser came.
const PACE: Duration = Duration::from_millis(200);

/// As long as the code is good, and a little more.
const TIMES: u32 = 160;

pub(super) async fn run(target: Option<OpenTarget>, connection: &Connection<'_>) -> Result<Exit> {
    let path = path_of(target)?;
    let printer = connection.printer;
    sweep(&connection.settings.home);
    let person = connection.person_alone().await?;
    let code = match person.client.page_code().await {
        Ok(code) => code.value,
        Err(error) => {
            person.leave().await;
            return Err(error.into());
        }
    };
    printer.data(format!("{}{path}", code.page_url));
    let came = match Handover::write(&connection.settings.home, &code, &path) {
        Ok(handover) => {
            if browser::open_file(handover.path()) {
                printer.say(format!(
                    "waiting up to {} s for your browser to come, signed in. Where none opens, \
                     open the address above yourself and sign in with the passphrase; Ctrl-C \
                     ends the waiting",
                    PACE.saturating_mul(TIMES).as_secs()
                ));
                ended(&person.client, &connection.client, &code.id).await
            } else {
                Ended::NobodyCame
            }
        }
        Err(error) => {
            printer.cross(format!("the file for the browser cannot be written: {error}"));
            Ended::NobodyCame
        }
    };
    if came == Ended::SignedIn {
        person.hand_over().await;
        printer.tick("the page is open and signed in");
        return Ok(Exit::Done);
    }
    person.leave().await;
    if came == Ended::Replayed {
        printer.cross(
            "the code was used twice: somebody else on this machine has seen it, so whoever it \
             signed in is signed out again. aileron audit list shows when it came, and what was \
             decided meanwhile. Find out which program read your files before you run aileron \
             open again, or open the address above and sign in with the passphrase",
        );
        return Ok(Exit::Failed);
    }
    printer.say("no browser came: open the address above, and sign in with the passphrase");
    Ok(Exit::Done)
}

fn path_of(target: Option<OpenTarget>) -> Result<String> {
    match target {
        None => Ok("/".to_owned()),
        Some(OpenTarget::Approvals) => Ok("/approvals".to_owned()),
        Some(OpenTarget::Approval { id }) => {
            let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
            if id.is_empty() || id.len() > 128 || !id.bytes().all(plain) {
                return Err(Failure::plain(format!("{id:?} is not the id of an approval")));
            }
            Ok(format!("/approvals?focus={id}"))
        }
    }
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    SignedIn,
    /// It came twice.
    Replayed,
    NobodyCame,
}

/// Did the browser bring the code, and nobody else?
async fn ended(person: &Client, program: &Client, id: &str) -> Ended {
    for _ in 0..TIMES {
        let state = match person.page_code_state(id).await {
            Ok(state) => state.value.state,
            // The session is over: a code that came twice ended it, or the browser has signed out
            // again, or another session ended all of them.
            Err(_) => match program.page_code_state(id).await {
                Ok(state) => state.value.state,
                Err(_) => return Ended::NobodyCame,
            },
        };
        match state.as_str() {
            "waiting" => tokio::time::sleep(PACE).await,
            "used" => return Ended::SignedIn,
            "replayed" => return Ended::Replayed,
            _ => return Ended::NobodyCame,
        }
    }
    Ended::NobodyCame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_becomes_part_of_the_address() {
        let of = |id: &str| path_of(Some(OpenTarget::Approval { id: id.to_owned() }));
        assert_eq!(of("act-1").unwrap(), "/approvals?focus=act-1");
        for id in ["", "a b", "a&to=x", "\"><script>", "../x"] {
            assert!(of(id).is_err(), "{id}");
        }
    }
}

//! Waiting for a place among the passphrases that wait to be checked.

use std::time::Duration;

use aileron_api::client::Error;

use crate::printer::Printer;

/// How often a place is asked for.
const PAUSE: Duration = Duration::from_secs(1);

/// As long as the longest line takes to move on, and a little more.
const TIMES: u32 = 75;

/// Calls until the passphrase has its place in the line, for a bounded time. Every other refusal
/// is an answer.
pub(super) async fn patiently<T>(
    printer: Printer,
    call: impl AsyncFn() -> Result<T, Error>,
) -> Result<T, Error> {
    paced(printer, (PAUSE, TIMES), call).await
}

async fn paced<T>(
    printer: Printer,
    (pause, times): (Duration, u32),
    call: impl AsyncFn() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut answer = call().await;
    if !answer.as_ref().is_err_and(no_place) {
        return answer;
    }
    printer.say(format!(
        "Many passphrases wait to be checked, and this one finds no place among them: somebody \
         may be guessing. Trying again for up to {} s; Ctrl-C ends it.",
        pause.saturating_mul(times).as_secs()
    ));
    for _ in 0..times {
        tokio::time::sleep(pause).await;
        answer = call().await;
        if !answer.as_ref().is_err_and(no_place) {
            break;
        }
    }
    answer
}

/// Is the line as long as it may be? Then nothing was checked.
fn no_place(error: &Error) -> bool {
    error.code() == Some("unlock_backoff")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use aileron_api::client::ApiError;

    use super::*;

    fn refusal(code: &str) -> Error {
        let (message, raw) = (String::new(), String::new());
        let code = code.to_owned();
        Error::from(ApiError {
            status: 429,
            code,
            message,
            details: None,
            request_id: None,
            failure: None,
            retry_after: None,
            raw,
        })
    }

    /// How often a call is made that is refused so often in this way, and what comes of it.
    async fn calls(refused: u32, code: &str) -> (u32, Result<(), Error>) {
        let made = Cell::new(0);
        let call = async || {
            made.set(made.get() + 1);
            if made.get() > refused { Ok(()) } else { Err(refusal(code)) }
        };
        let done = paced(Printer::new(true), (Duration::ZERO, 10), call).await;
        (made.get(), done)
    }

    #[tokio::test]
    async fn a_full_line_is_waited_for_a_bounded_time_and_nothing_else_is() {
        for (refused, made) in [(0, 1), (1, 2), (10, 11)] {
            let (calls, done) = calls(refused, "unlock_backoff").await;
            assert!(done.is_ok() && calls == made, "{refused}: {calls}");
        }
        let (made, done) = calls(11, "unlock_backoff").await;
        assert_eq!((made, done.unwrap_err().code()), (11, Some("unlock_backoff")));
        for other in ["busy", "passphrase_rejected", "unknown"] {
            let (made, done) = calls(1, other).await;
            assert_eq!((made, done.unwrap_err().code()), (1, Some(other)));
        }
    }
}

//! What asks this program to stop, where its end needs more than its process's end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, Result};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The terminal is gone.
    HangUp,
    /// Ctrl-c.
    Interrupt,
    Terminate,
}

impl Asked {
    const ALL: [Self; 3] = [Self::HangUp, Self::Interrupt, Self::Terminate];

    const fn kind(self) -> SignalKind {
        match self {
            Self::HangUp => SignalKind::hangup(),
            Self::Interrupt => SignalKind::interrupt(),
            Self::Terminate => SignalKind::terminate(),
        }
    }

    /// As a shell reports the signal.
    pub(crate) fn exit_code(self) -> u8 {
        u8::try_from(self.kind().as_raw_value().saturating_add(128)).unwrap_or(u8::MAX)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::HangUp => "the terminal was closed",
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        }
    }
}

/// From here on these signals end nothing by themselves.
pub(crate) struct Signals(Vec<(Asked, Signal)>);

impl Signals {
    /// All but those that whoever started this program wants ignored, as `nohup` and a shell's
    /// background do.
    pub(crate) fn take() -> Result<Self> {
        let ignored = ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
        let heeded =
            Asked::ALL.into_iter().filter(|asked| !is_in(ignored, asked.kind().as_raw_value()));
        let taken = heeded.map(|asked| Ok((asked, signal(asked.kind())?)));
        taken
            .collect::<std::io::Result<_>>()
            .map(Self)
            .map_err(|error| Failure::plain(format!("cannot listen for signals: {error}")))
    }

    /// Waits for the next.
    pub(crate) async fn next(&mut self) -> Asked {
        std::future::poll_fn(|context| {
            let mut signals = self.0.iter_mut();
            let came = signals
                .find_map(|(asked, signal)| signal.poll_recv(context).is_ready().then_some(*asked));
            came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }
}

/// The set of ignored signals that a process status tells; none where it tells none.
fn ignored(status: &str) -> u64 {
    let told = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    told.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default()
}

fn is_in(set: u64, signal: i32) -> bool {
    let place = u32::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    place.and_then(|place| set.checked_shr(place)).is_some_and(|set| set & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_told_as_a_shell_tells_it() {
        assert_eq!(Asked::ALL.map(Asked::exit_code), [129, 130, 143]);
    }

    #[test]
    fn what_is_to_be_ignored_is_read_from_the_process_status() {
        let set = ignored("Name:\taileron\nSigBlk:\t0000000000000004\nSigIgn:\t0000000000001001\n");
        let found = [1, 2, 13, 15].map(|signal| is_in(set, signal));
        assert_eq!(found, [true, false, true, false]);
        assert!(!is_in(ignored("no such line"), 1) && !is_in(u64::MAX, 0) && !is_in(u64::MAX, 65));
    }
}

//! A daemon of one who holds on to it: it ends when its standard input does. A pipe's other end is
//! closed with the last process that has it, however that process ended.

use std::{io, os::fd::AsFd as _};

use aileron_contract::{Error, Reason, Result};
use tokio::{io::AsyncReadExt as _, net::unix::pipe::Receiver};

/// This end of the pipe.
#[derive(Debug)]
pub(crate) struct Tether(Receiver);

impl Tether {
    /// The pipe at standard input; anything else would end at once, or never.
    pub(crate) fn standard_input() -> Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned();
        input.and_then(Receiver::from_owned_fd).map(Self).map_err(|cause| {
            let text = "--until-input-ends: standard input is no pipe: leave the option out, or \
                        start the daemon with a pipe whose other end you keep";
            Error::new(Reason::ConfigInvalid, text).caused_by(cause)
        })
    }

    /// Returns when nobody holds the other end any more. What is written to it means nothing.
    pub(crate) async fn let_go(mut self) {
        let mut ignored = [0; 64];
        while self.0.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn it_holds_until_the_other_end_is_closed_whatever_is_written_meanwhile() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut held = Box::pin(Tether(Receiver::from_owned_fd(reader.into()).unwrap()).let_go());
        writer.write_all(&[b'x'; 1_000]).unwrap();
        // What was written is read, and it waits on.
        let waits = tokio::time::timeout(std::time::Duration::from_millis(50), &mut held).await;
        assert!(waits.is_err());
        drop(writer);
        held.await;
    }
}

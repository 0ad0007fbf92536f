//! JSON-RPC messages, one a line, each within a bound.

use std::{io, pin::Pin, sync::Arc};

use aileron_api::mcp::Written;
use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, ErrorData, GetExtensions as _, RequestId, ServerJsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    sync::Mutex,
};

/// The published bound of a line.
const LINE: usize = 1024 * 1024;

/// The transport over two streams.
pub(crate) struct Lines<R, W> {
    input: BufReader<R>,
    /// The line being read: reading goes on where it was interrupted.
    line: Vec<u8>,
    /// The line is too long: what follows of it is skipped.
    overlong: bool,
    output: Arc<Mutex<W>>,
    /// A refusal under way: it is written to its end, whoever interrupts the reading.
    refusal: Option<Writing>,
}

type Writing = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Lines<R, W> {
    pub(crate) fn new(input: R, output: W) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            line: Vec::new(),
            overlong: false,
            output: Arc::new(Mutex::new(output)),
            refusal: None,
        }
    }

    /// The next whole line, or none at the end. Safe to drop while it waits.
    async fn line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let read = self.input.fill_buf().await?;
            if read.is_empty() {
                // What has no end is no message.
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', read);
            let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
            if self.line.len().saturating_add(part.len()) > LINE {
                self.overlong = true;
                self.line.clear();
            }
            if !self.overlong {
                self.line.extend_from_slice(part);
            }
            let used = part.len().saturating_add(usize::from(end.is_some()));
            self.input.consume(used);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                let overlong = std::mem::take(&mut self.overlong);
                return Ok(Some(if overlong { Line::Overlong } else { Line::Whole(line) }));
            }
        }
    }
}

enum Line {
    Whole(Vec<u8>),
    Overlong,
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let output = Arc::clone(&self.output);
        async move { write(&output, &message).await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(refusal) = &mut self.refusal {
                // A reader that is gone is noticed at the end of the input.
                drop(refusal.await);
                self.refusal = None;
            }
            let (id, error) = match self.line().await.ok()?? {
                Line::Overlong => {
                    let why = format!("a message is at most {LINE} bytes long");
                    (None, ErrorData::invalid_request(why, None))
                }
                Line::Whole(line) => match read(&line) {
                    Read::Message(message) => return Some(*message),
                    Read::Refused(id, error) => (Some(id), error),
                    Read::Nothing => continue,
                },
            };
            self.refusal = Some(Box::pin(self.send(ServerJsonRpcMessage::error(error, id))));
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.lock().await.shutdown().await
    }
}

async fn write<W: AsyncWrite + Unpin>(
    output: &Mutex<W>,
    message: &ServerJsonRpcMessage,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut output = output.lock().await;
    output.write_all(&line).await?;
    output.flush().await
}

/// What a line is.
enum Read {
    Message(Box<ClientJsonRpcMessage>),
    /// A request that nobody can carry out.
    Refused(RequestId, ErrorData),
    /// As published, a line that is no message is ignored.
    Nothing,
}

fn read(line: &[u8]) -> Read {
    let Ok(mut message) = serde_json::from_slice::<ClientJsonRpcMessage>(line) else {
        return Read::Nothing;
    };
    let written = Written::read(line);
    if let ClientJsonRpcMessage::Request(request) = &mut message {
        match written {
            Ok(Some(written)) => drop(request.request.extensions_mut().insert(written)),
            Ok(None) => {}
            Err(error) => {
                let error = ErrorData::invalid_request(error.to_string(), None);
                return Read::Refused(request.id.clone(), error);
            }
        }
    }
    Read::Message(Box::new(message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rmcp::{model::ClientJsonRpcMessage, transport::Transport as _};

    use super::{LINE, Lines};

    async fn received(input: Vec<u8>) -> (usize, String) {
        let mut lines = Lines::new(std::io::Cursor::new(input), Vec::new());
        let mut messages = 0;
        while let Some(message) = lines.receive().await {
            assert!(matches!(message, ClientJsonRpcMessage::Request(_)));
            messages += 1;
        }
        let output = lines.output.lock().await.clone();
        (messages, String::from_utf8(output).unwrap())
    }

    #[tokio::test]
    async fn what_is_no_message_is_ignored_and_what_is_too_long_is_refused() {
        let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let mut input = b"\n{\nnonsense\n[]\n".to_vec();
        input.extend_from_slice(ping);
        input.push(b'\n');
        input.extend(vec![b' '; LINE + 1]);
        input.extend_from_slice(ping);
        input.push(b'\n');
        input.extend_from_slice(ping);
        input.extend_from_slice(b"\r\n");
        input.extend_from_slice(ping);
        let (messages, output) = received(input).await;
        assert_eq!(messages, 2, "{output}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(output.contains("at most 1048576 bytes"), "{output}");
    }

    #[tokio::test]
    async fn a_call_with_two_sets_of_arguments_is_refused_by_its_id() {
        let call = br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{},"arguments":{"x":1}}}
"#;
        let (messages, output) = received(call.to_vec()).await;
        assert_eq!(messages, 0);
        assert!(output.contains("\"id\":7") && output.contains("duplicate field"), "{output}");
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_ends_the_reading(input in any::<Vec<u8>>()) {
            let mut input = input;
            input.extend_from_slice(b"\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(received(input)).0, 1);
        }
    }
}

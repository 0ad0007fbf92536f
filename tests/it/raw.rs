//! The daemon's listener, spoken to byte by byte.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::house::{House, PATIENCE};

/// After which a daemon that keeps a connection open is not going to say more.
const SILENCE: Duration = Duration::from_secs(10);

/// The daemon's address and the program's token.
pub(crate) struct Door {
    pub(crate) address: String,
    pub(crate) token: String,
}

impl Door {
    pub(crate) fn of(house: &House) -> Self {
        let found = house.discovery().unwrap();
        let address = found.url.strip_prefix("http://").unwrap().to_owned();
        Self { address, token: found.token.unwrap() }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// Sends these bytes and returns all that comes back until the daemon closes the connection,
    /// or says nothing for a while.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> String {
        self.told(bytes, SILENCE).await
    }

    async fn told(&self, bytes: &[u8], silence: Duration) -> String {
        let mut stream = self.connect().await;
        // A daemon that has refused already may have closed its side.
        drop(stream.write_all(bytes).await);
        read_until(&mut stream, silence).await
    }

    /// One request with these header lines, a good host and the program's token.
    pub(crate) async fn request(&self, line: &str, headers: &str, body: &str) -> String {
        let Self { address, token } = self;
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
        };
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n{length}{headers}\r\n{body}"
        );
        self.told(request.as_bytes(), PATIENCE).await
    }

    /// Health, asked for on a new connection: does the daemon still serve others?
    pub(crate) async fn is_well(&self) -> bool {
        let request = format!(
            "GET /v1/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        status(&self.told(request.as_bytes(), PATIENCE).await) == Some(200)
    }
}

/// What arrives until the end or a long silence.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    read_until(stream, SILENCE).await
}

async fn read_until(stream: &mut TcpStream, silence: Duration) -> String {
    let mut answer = Vec::new();
    while let Ok(Ok(1..)) = timeout(silence, stream.read_buf(&mut answer)).await {}
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of the first answer.
pub(crate) fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// The statuses of all answers on one connection.
pub(crate) fn statuses(answers: &str) -> Vec<u16> {
    let begins = answers.match_indices("HTTP/1.1 ");
    begins.filter_map(|(at, _)| status(&answers[at..])).collect()
}

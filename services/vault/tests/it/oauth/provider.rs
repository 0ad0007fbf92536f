//! The provider's process.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::browser::Browser;

/// A running `oidc-provider`, ended with the test.
pub(crate) struct Provider {
    process: Child,
    port: u16,
    /// Held open: the provider has more to say, and must not break on it.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        Self::with_lifetime(3600)
    }

    /// Whose access tokens live for so many seconds.
    pub(crate) fn with_lifetime(seconds: u32) -> Self {
        let folder = std::env::var_os("AILERON_OIDC_PROVIDER").map(PathBuf::from);
        let Some(folder) = folder else {
            panic!(
                "AILERON_OIDC_PROVIDER must name a folder with oidc-provider and node: use \
                 tests/run, which makes one"
            );
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider.mjs");
        // Its own Node, which is newer than Debian's.
        let mut process = Command::new(folder.join("node_modules/node/bin/node"))
            .arg(script)
            .arg(folder)
            .arg(seconds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = says
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening ")?.parse().ok())
            .unwrap();
        Self { process, port, _says: says }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How the token endpoint treats refreshes from now on.
    pub(crate) async fn behaves(&self, mode: &str) {
        self.control(&format!("mode?is={mode}")).await;
    }

    /// A number or a text the script knows.
    pub(crate) async fn control(&self, what: &str) -> String {
        Browser::default().get(&self.url(&format!("/control/{what}"))).await.body
    }

    pub(crate) async fn refreshes(&self) -> String {
        self.control("refreshes").await
    }

    /// Gone, as after a power cut.
    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

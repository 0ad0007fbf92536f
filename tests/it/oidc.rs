//! An `OpenID` provider that nobody here wrote (npm `oidc-provider`), as the vault's own tests start
//! it.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{browser::Browser, house::until};

/// A running provider, ended with the test.
pub(crate) struct Provider {
    process: Child,
    pub(crate) host: String,
    /// Held open: the provider has more to say, and must not break on it.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    /// Whose access tokens live for so many seconds.
    pub(crate) fn start(seconds: u32) -> Self {
        let folder = std::env::var_os("AILERON_OIDC_PROVIDER").map(PathBuf::from);
        let Some(folder) = folder else {
            panic!("AILERON_OIDC_PROVIDER must name a folder with oidc-provider: use tests/run");
        };
        let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut process = Command::new(folder.join("node_modules/node/bin/node"))
            .arg(rooms.join("services/vault/tests/oidc/provider.mjs"))
            .arg(folder)
            .arg(seconds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap()).lines();
        let port: u16 = says
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening ")?.parse().ok())
            .unwrap();
        Self { process, host: format!("127.0.0.1:{port}"), _says: says }
    }

    /// What a manifest says to let people sign in here.
    pub(crate) fn credential(&self) -> String {
        let at = &self.host;
        format!(
            "kind = \"oauth2\"\n\n[capabilities.credential.oauth2]\n\
             authorize_url = \"http://{at}/auth\"\ntoken_url = \"http://{at}/token\"\n\
             device_authorization_url = \"http://{at}/device/auth\"\n\
             revocation_url = \"http://{at}/token/revocation\"\nclient_id = \"public\"\n\
             scopes = [\"openid\", \"offline_access\", \"notes:read\"]"
        )
    }

    /// A number or a text the script knows.
    pub(crate) async fn control(&self, what: &str) -> String {
        Browser::default().get(&format!("http://{}/control/{what}", self.host)).await.body
    }

    /// Waits until it was asked for so many refreshes.
    pub(crate) async fn refreshed(&self, times: &str) {
        until("the provider is asked for new tokens", async || {
            (self.control("refreshes").await == times).then_some(())
        })
        .await;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

//! Bindings that a provider gives, from the command line to the request that carries the token:
//! the real program, the real daemon, and npm `oidc-provider`.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Stdio},
    time::Duration,
};

use aileron_api::client::Client;
use aileron_node::demo::Servers;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    hostile::{Connector, Deed, failed},
    house::{House, PASSPHRASE, until},
    household::Household,
    oidc::Provider,
    raw::{Door, status},
};

const FQN: &str = "github://mallory/mail";
const NAME: &str = "oauth2/mail/default";
const CALLBACK: &str = "/v1/bindings/setup/oauth2/callback";

/// A provider, a daemon with a vault, and a connector whose users sign in.
struct Scene {
    provider: Provider,
    servers: Servers,
    house: House,
    daemon: u32,
    program: Client,
}

impl Scene {
    async fn set(seconds: u32) -> Self {
        let (provider, servers) = (Provider::start(seconds), Servers::start().await.unwrap());
        let home = Household::bare(servers).await;
        let daemon = home.daemon();
        let Household { house, servers, program, person: owner } = home;
        let scene = Self { provider, servers, house, daemon, program };
        scene
            .with_connector(async |connector| connector.install(&owner, &scene.servers).await)
            .await;
        scene
    }

    async fn with_connector<T>(&self, work: impl AsyncFnOnce(&Connector<'_>) -> T) -> T {
        let credential = self.provider.credential();
        let envelope = json!({
            "method": "GET", "url": format!("http://{}/api/output", self.provider.host),
            "credential": "oauth2",
        });
        let connector = Connector {
            repo: "mail",
            hosts: &[&self.provider.host],
            credential: Some(&credential),
            wall_seconds: 30,
            gated: false,
            deeds: vec![Deed::Sends(envelope.to_string())],
        };
        work(&connector).await
    }

    /// Lets the connector make its one call.
    async fn calls(&self) -> Result<String, (String, String)> {
        let outcome =
            self.with_connector(async |connector| connector.run(&self.program, 0).await).await;
        match outcome {
            Ok(done) => Ok(done.result.unwrap_or_default()),
            refused => Err(failed(refused)),
        }
    }

    /// A command of the person, whose talk is read while it runs.
    fn talks(&self, arguments: &[&str]) -> Talk {
        Talk::of(self.house.command(arguments))
    }

    /// Signs in through the command line, in a browser of one's own.
    async fn signed_in(&self, arguments: &[&str]) -> String {
        let mut talk = self.talks(arguments);
        let url = talk.line_with("/auth?").trim().to_owned();
        let back = Browser::default().consents(&url, &part(&url, "redirect_uri")).await;
        let page = Browser::default().get(&back).await;
        assert!(page.body.contains("<h1>Done</h1>"), "{}", page.body);
        talk.ends(true)
    }

    /// What `aileron status` says, data and talk.
    fn status(&self) -> String {
        let output = self.house.run(&["status"]);
        assert!(output.status.success());
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
    }

    /// The daemon dies as in a power cut, and is started again.
    async fn dies_and_returns(&mut self) {
        self.house.kill(self.daemon);
        self.daemon = self.house.spawn(&["daemon", "run"]);
        self.program = self.house.client().await;
    }

    fn unlock(&self) {
        let unlocked = self.house.run_as_person(&["vault", "unlock"]);
        assert!(unlocked.status.success(), "{unlocked:?}");
    }

    fn binding(&self) -> Value {
        let output = self.house.run(&["binding", "inspect", NAME, "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A running command.
struct Talk {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Talk {
    fn of(mut command: std::process::Command) -> Self {
        command.env("AILERON_VAULT_PASSPHRASE", PASSPHRASE).stderr(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        Self { child, lines, said: String::new() }
    }

    /// Reads up to a line that holds the text.
    fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            assert!(read > 0, "{text:?} was never said:\n{}", self.said);
            self.said.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for its end; returns all it said.
    fn ends(mut self, well: bool) -> String {
        self.lines.read_to_string(&mut self.said).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.success(), well, "{}", self.said);
        self.said
    }
}

/// A parameter of an address.
fn part(url: &str, key: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    url.query_pairs().find(|(name, _)| name == key).unwrap().1.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_the_connector_calls_in_their_name() {
    let scene = Scene::set(3600).await;
    let (class, _) = scene.calls().await.unwrap_err();
    assert_eq!(class, "binding_required");

    let said = scene.signed_in(&["binding", "setup", FQN, "--no-browser", "--yes"]).await;
    for shown in ["(oauth2)", &scene.provider.host, "offline_access", "notes:read"] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
    assert!(said.contains(&format!("{NAME} is bound")), "{said}");
    assert!(scene.calls().await.unwrap().contains("notes:read"));

    let binding = scene.binding();
    assert_eq!(binding["granted_scopes"], json!(["openid", "notes:read"]));
    assert_eq!(binding["refresh_token_present"], true);
    assert_eq!(binding["status"], "active");
    let shown = scene.house.run(&["binding", "inspect", NAME]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("github://mallory/mail@1.0.0"), "{shown}");
    let listed = scene.house.run(&["binding", "list", "--kind", "oauth2", "--connector", FQN]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains(NAME));

    let again = scene.house.run_as_person(&["binding", "setup", FQN, "--no-browser", "--yes"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists"), "{again:?}");
    let said = scene.house.run_as_person(&["binding", "revoke", NAME]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("at its provider as well"), "{said}");
    assert_ne!(scene.provider.control("revocations").await, "0");
    assert_eq!(scene.calls().await.unwrap_err().0, "binding_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_is_opened_and_inherits_no_passphrase() {
    let scene = Scene::set(3600).await;
    let tools = tempfile::tempdir().unwrap();
    let (opener, shown) = (tools.path().join("xdg-open"), tools.path().join("shown"));
    let script = format!(
        "#!/bin/sh\n{{ env; echo \"page $1\"; }} > {0}.new\nmv {0}.new {0}\n",
        shown.display()
    );
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = scene.house.command(["binding", "setup", FQN, "--yes"]);
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    command.env("PATH", format!("{}:{path}", tools.path().display()));
    command.env("AILERON_TOKEN", "");
    let mut talk = Talk::of(command);
    let url = talk.line_with("/auth?").trim().to_owned();
    until("a browser is opened", async || shown.exists().then_some(())).await;
    let shown = std::fs::read_to_string(shown).unwrap();
    assert!(shown.contains(&format!("page {url}\n")), "{shown}");
    assert!(!shown.contains(PASSPHRASE) && !shown.contains("AILERON_TOKEN"), "{shown}");

    // The provider's no is heard, and ends the setup.
    let (back, state) = (part(&url, "redirect_uri"), part(&url, "state"));
    let no = format!("{back}?error=access_denied&state={state}");
    Browser::default().get(&no).await;
    let said = talk.ends(false);
    assert!(said.contains("access_denied"), "{said}");
    assert_eq!(scene.calls().await.unwrap_err().0, "binding_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_browser_shows_a_code() {
    let scene = Scene::set(3600).await;
    let mut talk = scene.talks(&["binding", "setup", FQN, "--device", "--yes"]);
    let line = talk.line_with("compare the code");
    let complete = line.split(' ').find(|word| word.starts_with("http")).unwrap();
    Browser::default().answers_device(complete, true).await;
    let said = talk.ends(true);
    assert!(said.contains(&format!("{NAME} is bound")), "{said}");
    assert!(scene.calls().await.unwrap().contains("notes:read"));
}

/// Begins in a browser; returns where it is sent and the cookie it was given.
async fn begun(scene: &Scene, identity: &str) -> (String, String) {
    let passphrase = aileron_api::Sensitive::new(PASSPHRASE.to_owned());
    let body = aileron_api::access::OpenPersonSession { passphrase };
    let opened = scene.program.open_person_session(&body).await.unwrap().value;
    let door = Door { token: opened.token.expose().to_owned(), ..Door::of(&scene.house) };
    let body = json!({
        "connector_fqn": FQN, "identity": identity, "caller": "daemon",
        "return_to": "http://127.0.0.1:9/back",
    });
    let line = "POST /v1/bindings/setup/oauth2/init";
    let answer = door.request(line, "", &body.to_string()).await;
    assert_eq!(status(&answer), Some(200), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let cookie = head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .and_then(|cookie| cookie.split(';').next())
        .unwrap();
    let begun: Value = serde_json::from_str(body).unwrap();
    (begun["authorize_url"].as_str().unwrap().to_owned(), cookie.to_owned())
}

async fn arrives(scene: &Scene, url: &str, cookie: &str) -> String {
    let door = Door::of(&scene.house);
    let (_, target) = url.split_once(&door.address).unwrap();
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n",
        door.address
    );
    door.exchange(request.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_of_one_browser_is_not_finished_by_another() {
    let scene = Scene::set(3600).await;
    let (mine, my_cookie) = begun(&scene, "default").await;
    let (theirs, their_cookie) = begun(&scene, "theirs").await;
    assert_ne!(my_cookie, their_cookie);
    let callback = format!("http://{}{CALLBACK}", Door::of(&scene.house).address);
    let mine = Browser::default().consents(&mine, &callback).await;
    let theirs = Browser::default().consents(&theirs, &callback).await;

    for cookie in [their_cookie.as_str(), "", "aileron_oauth=x", "other=1"] {
        let page = arrives(&scene, &mine, cookie).await;
        assert_eq!(status(&page), Some(403), "{page}");
        assert!(page.contains("<code>browser_mismatch</code>"), "{page}");
        assert!(page.contains("content-type: text/html"), "{page}");
    }
    assert!(scene.house.run(&["binding", "list", "--json"]).stdout.starts_with(b"{\"items\":[]}"));

    // The right one was waited for.
    let page = arrives(&scene, &mine, &my_cookie).await;
    assert_eq!(status(&page), Some(303), "{page}");
    let to = format!("location: http://127.0.0.1:9/back#aileron_oauth=ok&binding={NAME}");
    assert!(page.contains(&to), "{page}");
    assert!(scene.calls().await.unwrap().contains("notes:read"));
    let replayed = arrives(&scene, &mine, &my_cookie).await;
    assert_eq!(status(&replayed), Some(404), "{replayed}");
    assert!(replayed.contains("<code>session_not_found</code>"), "{replayed}");
    let page = arrives(&scene, &theirs, &their_cookie).await;
    assert_eq!(status(&page), Some(303), "{page}");
    assert!(page.contains("binding=oauth2/mail/theirs"), "{page}");
}

/// The token has ended; the daemon dies while it asks for another one of a provider in this mode.
async fn killed_while_refreshing(mode: &str) -> Scene {
    let mut scene = Scene::set(1).await;
    scene.signed_in(&["binding", "setup", FQN, "--no-browser", "--yes"]).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    scene.provider.control(&format!("mode?is={mode}")).await;
    {
        let asked = scene.calls();
        let provider = &scene.provider;
        tokio::select! {
            outcome = asked => panic!("it does not wait for its token: {outcome:?}"),
            () = provider.refreshed("1") => {}
        }
    }
    scene.dies_and_returns().await;
    scene.provider.control("mode?is=plain").await;
    // From here on a token outlives the busiest machine's next call.
    scene.provider.control("lifetime?is=3600").await;
    let told = scene.status();
    assert!(told.lines().any(|line| line.starts_with("refreshing:")), "{told}");
    assert!(scene.binding()["refreshing_since"].is_string());
    scene.unlock();
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_provider_heard_of_it_the_refresh_is_made_up_for() {
    let scene = killed_while_refreshing("held").await;
    assert!(scene.calls().await.unwrap().contains("notes:read"));
    let told = scene.status();
    assert!(!told.contains("refreshing") && !told.contains("stale"), "{told}");
    assert_eq!(scene.binding()["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_new_tokens_arrived_the_binding_is_stale_until_signed_in_again() {
    let scene = killed_while_refreshing("silent").await;
    let (class, told) = scene.calls().await.unwrap_err();
    assert_eq!(class, "binding_failed", "{told}");
    assert!(told.contains("binding reauthorize"), "{told}");
    let told = scene.status();
    assert!(told.lines().any(|line| line.starts_with("stale bindings:")), "{told}");
    assert!(told.contains("aileron binding list"), "{told}");
    let binding = scene.binding();
    assert_eq!(
        (&binding["status"], &binding["stale_reason"]),
        (&json!("stale"), &json!("refresh_lost"))
    );

    let said = scene.signed_in(&["binding", "reauthorize", NAME, "--no-browser", "--yes"]).await;
    assert!(said.contains(&format!("{NAME} is authorized again")), "{said}");
    let after = scene.binding();
    assert_eq!(
        (&after["status"], &after["created_at"]),
        (&json!("active"), &binding["created_at"])
    );
    assert!(scene.calls().await.unwrap().contains("notes:read"));
    assert!(!scene.status().contains("stale"));
}

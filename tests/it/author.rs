//! The author's way: from `connector new` to a signed, installed, running connector.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use aileron_node::demo::Servers;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    house::{House, PASSPHRASE, program},
    upstream::{Upstream, answer},
};

/// A module that was built already: the starter pack's.
const NOTES: &[u8] = include_bytes!("../../services/connectors/starter/notes.wasm");

/// A folder to work in, and the program in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn run(&self, line: &str) -> Output {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    fn run_words(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.0.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AILERON_HOME", self.path("home")).output().unwrap()
    }

    /// Runs what must succeed, and returns its data.
    fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", talk(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A new project called `weather`, with a key and a built module.
    fn with_project() -> Self {
        let desk = Self::new();
        desk.ok("keyring generate --out keys");
        desk.ok("connector new weather --owner acme --key keys/publisher.pub");
        fs::create_dir(desk.path("weather/dist")).unwrap();
        fs::write(desk.path("weather/dist/connector.wasm"), NOTES).unwrap();
        desk
    }

    /// The files of the release and their bytes, archives left out.
    fn release(&self) -> Vec<(String, Vec<u8>)> {
        let root = self.path("weather/dist/release");
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("aileron.tar.gz") {
                    let name = path.strip_prefix(&root).unwrap().display().to_string();
                    found.push((name, fs::read(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A service that lists one item and creates another.
async fn items() -> Upstream {
    Upstream::start(|request| {
        let body = if request.starts_with("GET") {
            json!({"items": [{"id": 1, "title": "Rain"}]})
        } else {
            json!({"id": 2, "title": "Sun"})
        };
        answer("200 OK", "content-type: application/json\r\n", body.to_string().as_bytes())
    })
    .await
}

/// What a release page serves, at the published addresses.
fn publish(servers: &Servers, project: &Path) {
    let output = Command::new(program())
        .args(["connector", "publish", "--dry-run", "--json"])
        .arg(project)
        .env_clear()
        .output()
        .unwrap();
    let layout: Value = serde_json::from_slice(&output.stdout).unwrap();
    for release in layout["releases"].as_array().unwrap() {
        let tag = release["tag"].as_str().unwrap().replace('/', "%2F");
        let asset = fs::read(project.join(release["asset"].as_str().unwrap())).unwrap();
        servers.publish(format!("/acme/weather/releases/download/{tag}/aileron.tar.gz"), asset);
    }
    for (path, file) in [("HEAD", "keys/publisher.pub"), ("v0.1.0", "suite.toml")] {
        let bytes = fs::read(project.join(file)).unwrap();
        servers.publish(format!("/raw/acme/weather/{path}/{file}"), bytes);
    }
}

/// The commands of the author's page, in order.
fn commands() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/docs/author.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authors_page_followed_literally_ends_in_a_running_connector() {
    let (servers, service) = (Servers::start().await.unwrap(), items().await);
    let house = House::new(&servers);
    // A place that stays: where the standard library is built as well, it is built once.
    let desk = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author");
    fs::remove_dir_all(desk.join("work")).ok();
    fs::create_dir_all(desk.join("work")).unwrap();
    let work = desk.join("work");
    fs::write(work.join("api-key.txt"), "weather-key-1").unwrap();
    let mut last = String::new();
    for line in commands() {
        if line.contains("add-suite") {
            publish(&servers, &work.join("weather"));
        }
        let line = line
            .replace("http://127.0.0.1:8080", &format!("http://{}", service.host))
            .replace("api.example.com", &service.host);
        let words: Vec<_> = line.split_whitespace().skip(1).collect();
        let output = house
            .command(words)
            .current_dir(&work)
            .env("AILERON_VAULT_PASSPHRASE", PASSPHRASE)
            .env("CARGO_TARGET_DIR", desk.join("target"))
            .envs(
                ["HOME", "CARGO_HOME", "RUSTUP_HOME"]
                    .into_iter()
                    .filter_map(|name| std::env::var_os(name).map(|value| (name, value))),
            )
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}\n{}", talk(&output));
        last = String::from_utf8(output.stdout).unwrap();
    }
    assert!(last.contains("Rain"), "{last}");
    let seen = service.seen();
    assert_eq!(seen.len(), 3, "the trial and two runs; the recording answered without a server");
    for (index, request) in seen.iter().enumerate() {
        let key = if index == 0 { "aileron-test-credential" } else { "weather-key-1" };
        let head = request.to_ascii_lowercase();
        assert!(head.starts_with("get /items?limit=20 "), "{request}");
        assert!(head.contains(&format!("authorization: bearer {key}")), "{request}");
    }
    let kept = fs::read_to_string(work.join("weather/list.json")).unwrap();
    assert!(kept.contains("Rain") && !kept.contains("aileron-test-credential"), "{kept}");

    let gated = house.run(&["action", "run", "weather-create", "--arg", "title=Sun"]);
    assert_eq!(gated.status.code(), Some(75), "{}", talk(&gated));
}

#[test]
fn the_release_job_makes_what_pack_and_sign_make_and_openssl_verifies_it() {
    let desk = Desk::with_project();
    desk.ok("connector pack weather --version 0.1.0");
    desk.ok("connector sign weather --key keys/publisher.pem");
    let ours = desk.release();
    assert_eq!(ours.len(), 3 + 2 + 2, "{:?}", ours.iter().map(|it| &it.0).collect::<Vec<_>>());
    let shown = desk.ok("connector publish weather --dry-run");
    let flagged = |flag: &str| shown.lines().filter(|line| line.contains(flag)).count();
    assert_eq!((flagged("  latest  "), flagged("  pre-release  ")), (1, 2), "{shown}");

    let secret = fs::read_to_string(desk.path("keys/publisher.pem.base64")).unwrap();
    let job = Command::new("sh")
        .args([".github/release", "0.1.0"])
        .current_dir(desk.path("weather"))
        .env("PUBLISHER_KEY", secret)
        .env("MODULE", "dist/connector.wasm")
        .output()
        .unwrap();
    assert!(job.status.success(), "{}", talk(&job));
    let theirs = desk.release();
    assert_eq!(
        ours.iter().map(|it| &it.0).collect::<Vec<_>>(),
        theirs.iter().map(|it| &it.0).collect::<Vec<_>>()
    );
    assert!(ours == theirs, "the same files, the same hashes, the same signatures");

    let place = desk.path("weather/dist/release/v0.1.0");
    let message = ["connector.wasm", "manifest.toml"]
        .map(|name| fs::read(place.join(name)).unwrap())
        .concat();
    fs::write(desk.path("message"), message).unwrap();
    let verified = Command::new("openssl")
        .args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "keys/publisher.pub"])
        .args(["-in", "message", "-sigfile", "weather/dist/release/v0.1.0/signature.sig"])
        .current_dir(desk.0.path())
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", talk(&verified));
    // The archives of the job hold the same files, in another compression.
    assert!(!desk.run("connector publish weather --dry-run").status.success());
    desk.ok("connector sign weather --key keys/publisher.pem");
    desk.ok("connector publish weather --dry-run");
}

#[test]
fn a_release_that_was_changed_or_signed_by_another_is_not_shown_as_ready() {
    let desk = Desk::with_project();
    let missing = desk.run("connector publish weather --dry-run");
    assert!(talk(&missing).contains("run aileron connector pack"), "{}", talk(&missing));
    desk.ok("connector pack weather --version 0.1.0");
    let unsigned = desk.run("connector publish weather --dry-run");
    assert_eq!(unsigned.status.code(), Some(1));
    assert!(talk(&unsigned).contains("v0.1.0 is not signed"), "{}", talk(&unsigned));

    desk.ok("keyring generate --out others");
    let other = desk.run("connector sign weather --key others/publisher.pem");
    assert!(talk(&other).contains("nobody could verify"), "{}", talk(&other));

    desk.ok("connector sign weather --key keys/publisher.pem.base64");
    desk.ok("connector publish weather --dry-run");
    let manifest = desk.path("weather/dist/release/v0.1.0/manifest.toml");
    let wider = fs::read_to_string(&manifest).unwrap().replace("api.example", "api.attacker");
    fs::write(&manifest, wider).unwrap();
    let changed = desk.run("connector publish weather --dry-run");
    assert_eq!(changed.status.code(), Some(1));
    let said = talk(&changed);
    for obstacle in ["is not signed by the key of", "holds other files", "pins another connector"] {
        assert!(said.contains(obstacle), "{obstacle}: {said}");
    }
}

#[test]
fn publishing_is_the_workflows_job() {
    let desk = Desk::with_project();
    let output = desk.run("connector publish weather");
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("the repository's workflow"), "{}", talk(&output));
}

#[test]
fn a_private_key_is_its_owners_and_is_never_shown_or_written_over() {
    let desk = Desk::new();
    let output = desk.run("keyring generate --out keys");
    let pem = fs::read_to_string(desk.path("keys/publisher.pem")).unwrap();
    let coded = fs::read_to_string(desk.path("keys/publisher.pem.base64")).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    let said = talk(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(!said.contains(secret) && !said.contains(&coded), "{said}");
    for file in ["publisher.pem", "publisher.pem.base64"] {
        let mode = fs::metadata(desk.path("keys").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let again = desk.run("keyring generate --out keys");
    assert!(talk(&again).contains("exists already"), "{}", talk(&again));
    fs::remove_file(desk.path("keys/publisher.pem")).unwrap();
    assert!(!desk.run("keyring generate --out keys").status.success());
    assert!(!desk.path("keys/publisher.pem").exists(), "all files or none");
}

#[test]
fn nothing_is_written_over_a_project_and_nothing_is_made_of_a_bad_name() {
    let desk = Desk::with_project();
    let before = fs::read(desk.path("weather/connector/src/main.rs")).unwrap();
    let again = desk.run("connector new weather --owner acme");
    assert!(talk(&again).contains("is not empty"), "{}", talk(&again));
    assert_eq!(fs::read(desk.path("weather/connector/src/main.rs")).unwrap(), before);
    desk.ok("action new weather-forget --op forget --path weather");
    let again = desk.run("action new weather-forget --path weather");
    assert!(talk(&again).contains("weather-forget"), "{}", talk(&again));
    for line in [
        "connector new x",
        "connector new ../x --owner acme",
        "connector new github://acme/x --owner acme",
        "connector new github://acme/x/y",
        "connector new x --owner acme --host nowhere/",
        "action new ../../x --path weather",
        "action new x --op a\"b --path weather",
        "action new x --path nowhere",
    ] {
        let output = desk.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}: {}", talk(&output));
    }
    assert!(!desk.path("x").exists() && !desk.path("../x/README.md").exists());
}

#[test]
fn every_problem_of_a_project_is_told_at_once_with_its_place() {
    let desk = Desk::with_project();
    desk.ok("connector check weather");
    let change = |file: &str, from: &str, to: &str| {
        let path = desk.path("weather").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}");
        fs::write(path, text.replace(from, to)).unwrap();
    };
    change("connector/manifest.toml", "hosts =", "host =");
    change("actions/weather-list/action.md", "op = \"list\"", "opp = \"list\"");
    change("suite.toml", "actions/weather-create", "actions/gone");
    let output = desk.run("connector check weather");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let places: Vec<_> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["actions/weather-list/action.md:24", "connector/manifest.toml:13", "suite.toml:3"],
        "{told}"
    );
    let refused = desk.run("connector pack weather --version 0.1.0");
    assert!(talk(&refused).contains("connector/manifest.toml:13"), "{}", talk(&refused));
    assert!(!desk.path("weather/dist/release").exists(), "nothing is packed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_on_trial_reaches_what_its_manifest_declares_and_nothing_else() {
    let service = Upstream::start(|_| {
        let notes = json!({"notes": [{"id": 1, "title": "a", "text": "b"}]});
        answer("200 OK", "", notes.to_string().as_bytes())
    })
    .await;
    let desk = Desk::with_project();
    let server = format!("http://{}", service.host);
    let call = |base: &str, further: &[&str]| {
        let args = json!({ "base": base }).to_string();
        let fixed = ["connector", "test", "weather", "--op", "list", "--args", &args];
        desk.run_words(&[&fixed[..], further].concat())
    };
    let output = call("https://api.example.com", &["--server", &server, "--json"]);
    assert!(output.status.success(), "{}", talk(&output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["output"]["notes"][0]["title"], "a");
    assert_eq!(told["requests"][0]["credential"], "api_key");
    assert_eq!(told["requests"][0]["url"], "https://api.example.com/notes");
    assert_eq!(told["limits"]["wall_seconds"], 30);

    let output = call("https://elsewhere.example", &["--server", &server]);
    assert!(talk(&output).contains("does not declare elsewhere.example:443"), "{}", talk(&output));
    let output = call("https://api.example.com", &[]);
    assert!(talk(&output).contains("nothing answers GET"), "{}", talk(&output));
    for other in ["http://example.com", "https://127.0.0.1:1", "http://127.0.0.1:1/path", "x"] {
        let output = call("https://api.example.com", &["--server", other]);
        assert!(talk(&output).contains("is no local server"), "{}", talk(&output));
    }
    assert_eq!(service.seen().len(), 1, "one request was allowed out");
    let left: Vec<_> = fs::read_dir(desk.path("weather/dist")).unwrap().collect();
    assert_eq!(left.len(), 1, "the trial left something behind: {left:?}");
}

#[test]
fn an_operation_that_the_built_connector_lacks_is_told_before_a_release() {
    let desk = Desk::with_project();
    desk.ok("connector check weather");
    let lacks = "the built connector has no operation \"forget\"";
    let made = desk.run("action new weather-forget --op forget --path weather");
    assert!(made.status.success() && talk(&made).contains(lacks), "{}", talk(&made));
    let made = desk.run("action new weather-latest --op list --path weather");
    assert!(made.status.success() && !talk(&made).contains("no operation"), "{}", talk(&made));
    let checked = desk.run("connector check weather");
    assert_eq!(checked.status.code(), Some(1));
    let lines = String::from_utf8(checked.stdout).unwrap();
    assert!(lines.starts_with("actions/weather-forget/action.md:"), "{lines}");
    assert!(lines.contains(lacks) && lines.lines().count() == 1, "{lines}");
    desk.ok("connector pack weather --version 0.1.0");
    desk.ok("connector sign weather --key keys/publisher.pem");
    let shown = desk.run("connector publish weather --dry-run");
    assert!(!shown.status.success() && talk(&shown).contains(lacks), "{}", talk(&shown));
    // Before it is built, nobody can tell.
    fs::remove_file(desk.path("weather/dist/connector.wasm")).unwrap();
    desk.ok("connector check weather");
}

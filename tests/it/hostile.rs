//! A publisher who means harm: connectors written as text, signed and packed like any other.

use aileron_api::{
    Object, Sensitive,
    actions::{RunAction, RunResult},
    bindings::{BindingSetup, BindingSource, BindingSpec},
    client::{Client, Error, RunOutcome},
    packages::{InstallActionRequest, TrustKey},
};
use aileron_node::demo::Servers;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const OWNER: &str = "mallory";
const VERSION: &str = "1.0.0";

/// What the guest reads before the letter that says which deed is asked for.
const BEFORE_THE_LETTER: &str = r#"{"op":"do","args":{"deed":""#;

/// Where the texts of the deeds lie in the guest's memory, and where it puts an answer.
const TEXTS: usize = 0x1_0000;
const ANSWER: usize = 0x20_0000;

/// One thing the connector does when it is asked for it.
pub(crate) enum Deed {
    /// Sends an envelope and hands the body of the answer back as its own output.
    Sends(String),
    /// Logs a line, says something on standard error, and fails with a message.
    Says { level: String, message: String },
    /// Statements of its own.
    Does(&'static str),
}

impl Deed {
    /// Its statements; what they speak of goes to the end of `texts`.
    fn statements(&self, texts: &mut Vec<u8>) -> String {
        let mut put = |text: &str| {
            let at = TEXTS + texts.len();
            texts.extend_from_slice(text.as_bytes());
            format!("(i32.const {at}) (i32.const {})", text.len())
        };
        match self {
            Self::Sends(envelope) => format!("(call $send {})", put(envelope)),
            Self::Says { level, message } => {
                let error = json!({
                    "error": { "class": "external_service_error", "message": message },
                });
                let (level, text, error) = (put(level), put(message), put(&error.to_string()));
                format!(
                    "(call $log {level} {text}) (call $write (i32.const 2) {text}) \
                     (call $write (i32.const 1) {error}) (call $exit (i32.const 1))"
                )
            }
            Self::Does(statements) => (*statements).to_owned(),
        }
    }
}

/// A connector with one action, `<repo>-do`, whose argument `deed` is a letter: the first deed is
/// `a`.
pub(crate) struct Connector<'a> {
    pub(crate) repo: &'a str,
    pub(crate) hosts: &'a [&'a str],
    /// What `[capabilities.credential]` says, if there is one.
    pub(crate) credential: Option<&'a str>,
    pub(crate) wall_seconds: u32,
    pub(crate) gated: bool,
    pub(crate) deeds: Vec<Deed>,
}

impl Connector<'_> {
    /// Publishes it, trusts its key and installs its action, as a deceived person would.
    pub(crate) async fn install(&self, person: &Client, servers: &Servers) {
        let signer = SigningKey::from_bytes(&[66; 32]);
        let repo = self.repo;
        let module = wat::parse_str(self.module()).unwrap();
        let manifest = self.manifest();
        let message = [module.as_slice(), manifest.as_bytes()].concat();
        let action = self.action(&hex::encode(Sha256::digest(&message)));
        let sign = |bytes: &[u8]| signer.sign(bytes).to_bytes();
        let at = |tag: &str| format!("/{OWNER}/{repo}/releases/download/{tag}/aileron.tar.gz");
        let connector = tarball(&[
            ("connector.wasm", &module),
            ("manifest.toml", manifest.as_bytes()),
            ("signature.sig", &sign(&message)),
        ]);
        servers.publish(at("v1.0.0"), connector);
        let action_pack = tarball(&[
            ("action.md", action.as_bytes()),
            ("signature.sig", &sign(action.as_bytes())),
        ]);
        servers.publish(at(&format!("actions%2F{repo}-do%2Fv1.0.0")), action_pack);

        let key = STANDARD.encode(signer.verifying_key().as_bytes());
        servers.publish(format!("/raw/{OWNER}/{repo}/HEAD/keys/publisher.pub"), key.clone());
        person.trust_key(&TrustKey { authority: self.fqn(), key }).await.unwrap();
        let request = InstallActionRequest {
            fqn: format!("{}/actions/{repo}-do", self.fqn()),
            version: VERSION.to_owned(),
            force: false,
            auto_install_connectors: true,
            accept_unsigned: false,
            expected_hash: None,
        };
        person.install_action(&request).await.unwrap();
    }

    /// Binds an API key to it.
    pub(crate) async fn bind(&self, person: &Client, value: &str) {
        self.bind_as(person, "api_key", value).await;
    }

    /// Binds a credential of any kind that has a value.
    pub(crate) async fn bind_as(&self, person: &Client, kind: &str, value: &str) {
        let kind = kind.to_owned();
        let spec = BindingSpec {
            identity: "work".to_owned(),
            service: Some(self.repo.to_owned()),
            source: BindingSource { kind, value: Some(Sensitive::new(value.to_owned())) },
            account: None,
            access_key_id: None,
            region: None,
        };
        let body = BindingSetup {
            connector_fqn: self.fqn(),
            bindings: vec![spec],
            skip_existing: false,
            hosts: None,
        };
        person.set_up_bindings(&body).await.unwrap();
    }

    /// Asks for one deed and waits for its end.
    pub(crate) async fn run(&self, program: &Client, deed: usize) -> Result<RunResult, Error> {
        let action = format!("{}-do", self.repo);
        let asked = program.run_action(&action, &call(deed), None).await?;
        match asked.value {
            RunOutcome::Done(done) => Ok(done),
            RunOutcome::Pending(pending) => panic!("it waits: {pending:?}"),
        }
    }

    pub(crate) fn fqn(&self) -> String {
        format!("github://{OWNER}/{}", self.repo)
    }

    fn manifest(&self) -> String {
        let (fqn, wall) = (self.fqn(), self.wall_seconds);
        let credential = self.credential.map_or_else(String::new, |needed| {
            format!("\n[capabilities.credential]\nscope = \"everything\"\n{needed}\n")
        });
        format!(
            "[connector]\nname = \"{fqn}\"\nversion = \"{VERSION}\"\n\n\
             [capabilities.network]\nhosts = {:?}\n\n\
             [capabilities.limits]\nwall_seconds = {wall}\n{credential}",
            self.hosts
        )
    }

    fn action(&self, hash: &str) -> String {
        let (fqn, repo) = (self.fqn(), self.repo);
        let gate = if self.gated { "\n[approval]\nrequired = true\n" } else { "" };
        format!(
            "+++\nname = \"{repo}-do\"\nversion = \"{VERSION}\"\n\
             source = \"{fqn}/actions/{repo}-do@{VERSION}\"\n\n\
             [[requires.connectors]]\nname = \"{fqn}\"\nversion = \"{VERSION}\"\n\
             hash = \"sha256:{hash}\"\ncapabilities = [\"do\"]\n\n\
             [match]\nintent = \"Do a deed\"\n\n\
             [[inputs]]\nname = \"deed\"\ntype = \"string\"\ndescription = \"Its letter\"\n\n\
             [[execute]]\nid = \"do\"\nconnector = \"{fqn}\"\nop = \"do\"\nidempotent = false\n\n\
             [execute.inputs]\ndeed = \"${{args.deed}}\"\n{gate}+++\nDoes a deed.\n"
        )
    }

    fn module(&self) -> String {
        let (mut texts, mut deeds, mut choices) = (Vec::new(), Vec::new(), Vec::new());
        for (place, deed) in self.deeds.iter().enumerate() {
            deeds.push(format!("(func $deed{place} {})", deed.statements(&mut texts)));
            choices.push(format!(
                "(if (i32.eq (local.get $letter) (i32.const {place})) \
                 (then (call $deed{place}) (return)))"
            ));
        }
        let (deeds, choices) = (deeds.concat(), choices.concat());
        let data: String =
            texts.iter().map(|byte| "\\".to_owned() + &hex::encode([*byte])).collect();
        let letter = 4096 + BEFORE_THE_LETTER.len();
        format!(
            r#"(module
              (import "aileron_host" "log" (func $log (param i32 i32 i32 i32)))
              (import "aileron_host" "http_request" (func $http (param i32 i32) (result i32)))
              (import "aileron_host" "http_response_read"
                (func $read (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_read"
                (func $fd_read (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") 64)
              (data (i32.const {TEXTS}) "{data}")
              (func $write (param $to i32) (param $at i32) (param $length i32)
                (i32.store (i32.const 0) (local.get $at))
                (i32.store (i32.const 4) (local.get $length))
                (drop (call $fd_write
                  (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
              (func $send (param $at i32) (param $length i32)
                (local $code i32)
                (local.set $code (call $http (local.get $at) (local.get $length)))
                ;; Malformed: the runtime knows nothing, so the guest says it.
                (if (i32.eq (local.get $code) (i32.const -2)) (then (call $exit (i32.const 2))))
                (if (i32.eqz (local.get $code)) (then
                  (call $write (i32.const 1) (i32.const {ANSWER})
                    (call $read (i32.const {ANSWER}) (i32.const 0x100000))))))
              (func $deeper (param i32) (result i32)
                (i32.add (call $deeper (local.get 0)) (i32.const 1)))
              {deeds}
              (func (export "_start")
                (local $letter i32)
                (i32.store (i32.const 0) (i32.const 4096))
                (i32.store (i32.const 4) (i32.const 4096))
                (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $letter
                  (i32.sub (i32.load8_u (i32.const {letter})) (i32.const 97)))
                {choices}
                unreachable))"#
        )
    }
}

/// The arguments that ask for a deed.
pub(crate) fn call(deed: usize) -> RunAction {
    let letter = char::from(b'a' + u8::try_from(deed).unwrap());
    let args: Object = [("deed".to_owned(), letter.to_string().into())].into_iter().collect();
    RunAction { args, ..RunAction::default() }
}

/// The class of a run that failed, and what it was told.
pub(crate) fn failed(outcome: Result<RunResult, Error>) -> (String, String) {
    let Err(error) = outcome else { panic!("the deed must fail: {outcome:?}") };
    let refusal = error.api().unwrap_or_else(|| panic!("no answer: {error}"));
    let failure = refusal.failure.as_ref().unwrap_or_else(|| panic!("no run: {refusal:?}"));
    (failure.class.clone(), refusal.raw.clone())
}

fn tarball(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

//! `aileron demo`: the main job from end to end, every claim checked.

mod attack;
mod home;
mod scan;

use std::path::Path;

use aileron_api::{
    Object, Sensitive,
    access::OpenPersonSession,
    actions::{RunAction, RunPending, RunResult},
    approvals::{ApprovalResult, Decide},
    audit::AuditFilter,
    bindings::{BindingSetup, BindingSource, BindingSpec},
    client::{Client, RunOutcome},
    packages::{InstallActionRequest, LookUpKey, ReadSuite, TrustKey},
    vault::CreateVault,
};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use self::home::Home;
use crate::{
    connection::{self, Hold, Process},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    runtime::demo::{OWNER, REPOSITORY, Servers},
    signals::{Asked, Signals},
};

/// Runs every step; the first failed check ends it. So does a signal, and whatever ends it, also a
/// kill, the daemon ends with it.
pub(super) async fn run(keep: bool, process: &Process, printer: Printer) -> Result<Exit> {
    let servers = Servers::start().await.map_err(|error| Failure::plain(error.to_string()))?;
    let mut signals = Signals::take()?;
    let home = Home::create(&servers, process.clone())?;
    let mut daemon = None;
    let mut told = tokio::select! {
        told = tell(&home, &servers, printer, &mut daemon) => told,
        asked = signals.next() => Err(Failure::Stopped(asked)),
    };
    let asked_already = matches!(told, Err(Failure::Stopped(_)));
    if keep && !asked_already {
        printer.say(format!(
            "\nkept: home {}, passphrase {}; the daemon and the sample servers run until ctrl-c",
            home.path().display(),
            home.passphrase().expose()
        ));
        let program = process.program.as_deref().unwrap_or("aileron".as_ref());
        printer.say(format!(
            "explore: AILERON_HOME={} {} audit list",
            home.path().display(),
            program.display()
        ));
        match signals.next().await {
            // What the person was told to press.
            Asked::Interrupt => {}
            asked => told = told.and(Err(Failure::Stopped(asked))),
        }
    }
    let stopped = home.stop_daemon(printer).await;
    drop(daemon);
    servers.stop().await;
    home.remove(keep);
    told?;
    stopped?;
    Ok(Exit::Done)
}

async fn tell(
    home: &Home,
    servers: &Servers,
    printer: Printer,
    daemon: &mut Option<Hold>,
) -> Result<()> {
    let (program, person) = open(home, printer, daemon).await?;
    install(&person, servers, printer).await?;
    list(&program, printer).await?;
    let written = write(&program, &person, servers, printer).await?;
    prove(home, &program, &written, printer).await?;
    scan::secrets(home, servers, printer)
}

/// Steps 1 and 2: a fresh home, a daemon of its own, a vault, a person.
async fn open(
    home: &Home,
    printer: Printer,
    daemon: &mut Option<Hold>,
) -> Result<(Client, Client)> {
    let (discovery, hold) = connection::hold(home.settings(), printer).await?;
    *daemon = Some(hold);
    printer.tick(format!("a daemon of its own runs at {} (pid {})", discovery.url, discovery.pid));
    let endpoint = aileron_api::client::Endpoint {
        base_url: format!("{}/v1", discovery.url),
        token: discovery.token,
        extra_root: None,
    };
    let program = Client::new(endpoint)?;
    program.create_vault(&CreateVault { passphrase: home.passphrase() }).await?;
    printer.tick(format!("the vault is created: {}", home.path().join("secrets.json").display()));
    let body = OpenPersonSession { passphrase: home.passphrase() };
    let opened = program.open_person_session(&body).await?.value;
    printer.tick(format!("you are a person until {}", opened.expires_at));
    Ok((program.clone(), program.with_token(opened.token.expose())?))
}

/// Step 3: trust, suite, binding.
async fn install(person: &Client, servers: &Servers, printer: Printer) -> Result<()> {
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let published =
        person.look_up_key(&LookUpKey { authority: authority.clone() }).await?.value.key;
    person.trust_key(&TrustKey { authority: authority.clone(), key: published.key }).await?;
    printer.tick(format!("{authority} is trusted, key {}", published.fingerprint));
    let source = format!("{authority}/suite.toml@latest");
    let suite = person.read_suite(&ReadSuite { source: Some(source), text: None }).await?.value;
    for member in suite.actions {
        let request = InstallActionRequest {
            fqn: member.fqn,
            version: member.version,
            force: false,
            auto_install_connectors: true,
            accept_unsigned: false,
            expected_hash: None,
        };
        let installed = person.install_action(&request).await?.value;
        for connector in installed.installed_connectors {
            printer.tick(format!("connector {} is installed, {}", connector.fqn, connector.hash));
        }
        printer.tick(format!("action {} {} is installed", installed.name, installed.version));
    }
    let spec = BindingSpec {
        identity: "demo".to_owned(),
        service: Some("notes".to_owned()),
        source: BindingSource {
            kind: "api_key".to_owned(),
            value: Some(Sensitive::new(servers.notes_key.clone())),
        },
        account: None,
        access_key_id: None,
        region: None,
    };
    let body = BindingSetup {
        connector_fqn: authority,
        bindings: vec![spec],
        skip_existing: false,
        hosts: Some(vec![servers.notes_host.clone()]),
    };
    let bound = person.set_up_bindings(&body).await?.value.created;
    check(bound.len() == 1, "exactly one binding is made")?;
    printer.tick(format!("the API key is bound, for {} and nowhere else", servers.notes_host));
    Ok(())
}

/// Step 4, first half: a read runs at once.
async fn list(program: &Client, printer: Printer) -> Result<()> {
    match program.run_action("notes-list", &RunAction::default(), None).await?.value {
        RunOutcome::Done(done) => {
            let output = done.result.unwrap_or_default();
            check(output.contains("Welcome"), "the list holds the note that was there")?;
            printer.tick("notes-list ran; wrapped output:");
            printer.say(format!("    {output}"));
            Ok(())
        }
        RunOutcome::Pending(_) => Err(Failure::plain("notes-list must not wait for a person")),
    }
}

/// Step 4, second half: a write waits for the person, whom no program can play.
async fn write(
    program: &Client,
    person: &Client,
    servers: &Servers,
    printer: Printer,
) -> Result<ApprovalResult> {
    let args: Object = [("title", "Bread"), ("text", "and butter")]
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .into_iter()
        .collect();
    let pending: RunPending = match program
        .run_action("notes-create", &RunAction { args, ..RunAction::default() }, None)
        .await?
        .value
    {
        RunOutcome::Pending(pending) => pending,
        RunOutcome::Done(RunResult { .. }) => {
            return Err(Failure::plain("notes-create ran without approval"));
        }
    };
    check(servers.titles().len() == 1, "nothing was written before the approval")?;
    printer.tick(format!("notes-create waits: approval needed ({})", pending.approval_id));
    let decision = Decide { approved: true, ..Decide::default() };
    let refused = program.decide(&pending.approval_id, &decision).await;
    let code = refused.as_ref().err().and_then(aileron_api::client::Error::code);
    check(code == Some("person_required"), "a program that approves is refused")?;
    printer.tick("the program tried to approve and was refused: person_required");
    let waiting = person.approvals().await?.value.items;
    let digest =
        waiting.into_iter().find(|it| it.id == pending.approval_id).and_then(|it| it.digest);
    person.decide(&pending.approval_id, &Decide { digest, ..decision }).await?;
    let result = settled(program, &pending.approval_id).await?;
    check(servers.titles() == ["Welcome", "Bread"], "the note is written, once")?;
    printer.tick("the person approved; it ran, once:");
    printer.say(format!("    {}", result.result.as_deref().unwrap_or_default()));
    Ok(result)
}

/// Step 5, first half: the events, and a receipt that verifies offline.
async fn prove(
    home: &Home,
    program: &Client,
    written: &ApprovalResult,
    printer: Printer,
) -> Result<()> {
    let filter = AuditFilter { limit: Some(100), ..AuditFilter::default() };
    let events = program.audit_events(&filter).await?.value.events;
    check(events.len() > 10, "every step is in the log")?;
    printer.tick(format!("{} events are in the log:", events.len()));
    for event in events.iter().rev() {
        printer.say(format!("    {}  {}", event.timestamp, event.event_type));
    }
    let id = written.audit_id.as_deref().unwrap_or_default();
    let receipt = program.audit_receipt(id).await?.value;
    let checkpoint = program.audit_checkpoint().await?.value;
    let key = checkpoint
        .verifier_key
        .parse()
        .map_err(|error| Failure::plain(format!("the log's public key: {error}")))?;
    let (index, leaf) = super::verify::proven(&receipt, &key)?;
    check(leaf.contains(id), "the receipt proves the write")?;
    let path = home.path().join("receipt.txt");
    std::fs::write(&path, &receipt).map_err(|error| Failure::file("write", &path, error))?;
    printer
        .tick(format!("the write's receipt verifies offline (event {index}): {}", path.display()));
    attack::log(home, &checkpoint.note, &key, printer).await
}

/// Waits for the end of an approved run, for a bounded time.
async fn settled(program: &Client, id: &str) -> Result<ApprovalResult> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let result = program.approval_result(id).await?.value;
        if result.status.is_end() {
            let shown = json!({ "status": result.status, "failure": result.failure });
            check(result.result.is_some(), &format!("the approved run succeeds: {shown}"))?;
            return Ok(result);
        }
        check(Instant::now() < deadline, "the approved run ends in time")?;
        sleep(Duration::from_millis(20)).await;
    }
}

/// A claim of the demo. One that does not hold ends it.
fn check(holds: bool, claim: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Failure::plain(format!("a check failed: {claim}"))) }
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|error| Failure::file("list", &folder, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Failure::file("list", &folder, error))?;
            let kind =
                entry.file_type().map_err(|error| Failure::file("read", entry.path(), error))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

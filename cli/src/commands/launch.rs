//! `aileron launch`: a session, its tools, the agent in this terminal, and the end of all three.

mod agent;
mod environment;
mod folder;
mod record;
mod request;
mod run;

use std::{path::PathBuf, time::Duration};

use aileron_api::{
    Sensitive,
    client::{Client, Result as ApiResult},
    sessions::{BeginSession, BegunSession, EndSession, Session},
    vault::VaultState,
};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::{
    arguments::LaunchArguments,
    connection::{self, Connection, Settings},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
};
use agent::{Agent, Program, Tools};
use folder::Folder;
use record::Record;
use request::Request;

pub(super) use folder::serve_tools;

/// What the runtime may take for each of our questions, as published.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(
    arguments: LaunchArguments,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit> {
    // The agent runs as the same user: what this process knows is not for it to read.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Failure::plain(format!("cannot close this process: {error}")))?;
    let request = match Request::read(arguments) {
        Ok(Some(request)) => request,
        Ok(None) => {
            printer.say("usage: aileron launch --local [--log-level LEVEL] AGENT [ARGUMENTS…]");
            printer.say(format!("agents: {}", Agent::names()));
            return Ok(Exit::Failed);
        }
        Err(failure) => {
            printer.error(failure.to_string());
            if matches!(failure, request::Unfit::Agent(_)) {
                printer.say(format!("available agents: {}", Agent::names()));
            }
            return Ok(Exit::Failed);
        }
    };
    let program = Program::find(request.agent, &settings.process)?;
    let connection = Connection::open(settings, printer).await?;
    connection.ready_vault().await?;
    reap(&connection).await;
    launch(&request, &program, &connection).await
}

async fn launch(request: &Request, program: &Program, connection: &Connection<'_>) -> Result<Exit> {
    let directory = connection.settings.process.directory.clone();
    let directory = directory.ok_or_else(|| Failure::plain("cannot tell the current folder"))?;
    let body = BeginSession {
        agent: request.agent.name().to_owned(),
        working_dir: Some(directory.to_string_lossy().into_owned()),
    };
    let begun = begin(connection, &body).await?;
    let (session, token) = (begun.session, begun.caveat_token);
    let given = Given { session: &session, token, directory };
    let launched = start(request, program, connection, given).await;
    let code = launched.as_ref().ok().copied();
    end(connection, &session.id, code).await;
    let code = launched?;
    Ok(Exit::Agent(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Begins the session. What a person begins has room that no program takes: a person at a terminal
/// is asked for the passphrase where programs have used up theirs.
async fn begin(connection: &Connection<'_>, body: &BeginSession) -> Result<BegunSession> {
    let mut person = connection.person_at_hand().await?;
    if person.is_none() {
        match patiently(connection.client.begin_session(body)).await {
            Err(failure) if failure.is_busy() && connection.could_ask().await? => {
                connection.printer.say(failure.to_string());
                person = Some(connection.person_of_vault().await?);
            }
            begun => return begun,
        }
    }
    let client = person.as_ref().map_or(&connection.client, |person| &person.client);
    let begun = patiently(client.begin_session(body)).await;
    if let Some(person) = person {
        person.leave().await;
    }
    begun
}

/// What the agent is given: the session it acts in, and the folder it works in.
struct Given<'a> {
    session: &'a Session,
    token: Option<Sensitive>,
    directory: PathBuf,
}

/// Everything between the session's beginning and its end; the agent's exit code.
async fn start(
    request: &Request,
    program: &Program,
    connection: &Connection<'_>,
    given: Given<'_>,
) -> Result<i32> {
    let printer = connection.printer;
    let Given { session, token, directory } = given;
    let url = connection.client.base_url().trim_end_matches("/v1").to_owned();
    let page = page(&connection.client).await.unwrap_or_else(|| url.clone());
    let token = token.ok_or_else(|| {
        Failure::plain("the runtime gave the session no token: it is older than this program")
    })?;
    let (tools, id) = (program.tools.clone(), session.id.clone());
    let tools = Tools { program: tools, url, page: page.clone(), session: id };
    let folder = Folder::create(&connection.settings.home, &session.id)?;
    let configuration = folder.write_tools(&tools, &token)?;
    let record = Record::open(&directory, request.log_level)?;
    printer.say(format!("aileron: session log → {}", record.path().display()));
    printer.say(format!(
        "✈️  Aileron — webapp {page} — session {} — log {}",
        session.id,
        record.path().display()
    ));
    let vault = patiently(connection.client.vault_status()).await?;
    if vault.state == VaultState::Locked {
        printer.say(format!("✈️  Vault locked — open {page} and enter your passphrase to unlock."));
    }
    record.started(request.agent.name(), session, &directory, &page)?;
    let process = &connection.settings.process;
    let arguments = request.agent.arguments(process, &configuration, &request.arguments)?;
    let ended = run::to_its_end(&program.agent, &arguments, &process.variables).await;
    record.ended(ended.as_ref().ok().copied())?;
    drop(folder);
    ended
}

/// Where people find the web page; none where there is none, or the runtime does not say.
async fn page(client: &Client) -> Option<String> {
    patiently(client.status()).await.ok()?.gateway_url
}

/// The agent is gone, so its token must be, even if the daemon was restarted meanwhile.
async fn end(connection: &Connection<'_>, id: &str, exit_code: Option<i32>) {
    let body = EndSession { exit_code };
    let mut ended = patiently(connection.client.end_session(id, &body)).await.map(drop);
    if ended.is_err() && connection.settings.api_url.is_none() {
        let home = &connection.settings.home;
        if let Ok(Some(found)) = connection::running(home).await
            && let Ok(other) = Connection::local(connection.settings, connection.printer, &found)
        {
            ended = patiently(other.client.end_session(id, &body)).await.map(drop);
        }
    }
    if let Err(failure) = ended {
        connection.printer.say(format!(
            "aileron: the end of session {id} could not be recorded ({failure}); the next launch does it"
        ));
    }
}

/// Ends sessions whose `aileron launch` was killed, and removes what they left.
async fn reap(connection: &Connection<'_>) {
    super::open::sweep(&connection.settings.home);
    for left in folder::left_behind(&connection.settings.home) {
        if end_orphan(&connection.client, &left.session).await {
            left.remove();
        }
    }
}

/// Is it over? A session nobody knows is.
async fn end_orphan(client: &Client, id: &str) -> bool {
    match patiently(client.end_session(id, &EndSession { exit_code: None })).await {
        Ok(_) => true,
        Err(failure) => failure.found_nothing(),
    }
}

async fn patiently<T>(
    asking: impl Future<Output = ApiResult<aileron_api::client::Answer<T>>>,
) -> Result<T> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => Ok(answer?.value),
        Err(_) => Err(Failure::plain(format!(
            "the runtime did not answer within {} seconds",
            PATIENCE.as_secs()
        ))),
    }
}

//! What became of a call that a person let run.

use std::time::Duration;

use aileron_api::{
    approvals::{ApprovalResult, ApprovalStatus},
    client::Answer,
};
use tokio::time::{Instant, sleep};

use crate::{
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
};

/// Most calls end within a second; one that takes longer is told about, not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks; doubled up to the second.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Waits for the end of the call, for a bounded time, and prints it as `action run` would have.
pub(super) async fn tell(connection: &Connection<'_>, id: &str, json: bool) -> Result<Exit> {
    let printer = connection.printer;
    let working = printer.working("running");
    let settled = settled(connection, id).await;
    drop(working);
    let answer = settled.map_err(|failure| {
        Failure::plain(format!(
            "{id} is approved, but what became of it cannot be read ({failure}): aileron action \
             runs shows it"
        ))
    })?;
    if json {
        printer.data(&answer.raw);
    }
    let ApprovalResult { status, state: _, audit_id, result, reason, failure } = answer.value;
    if let (Some(id), true) = (audit_id, status.is_end()) {
        printer.say(format!("recorded: aileron audit show {id}"));
    }
    match status {
        ApprovalStatus::Completed => {
            if !json {
                printer.data("wrapped output:");
                printer.data(result.unwrap_or_default());
            }
            Ok(Exit::Done)
        }
        ApprovalStatus::Failed | ApprovalStatus::Denied => {
            let why = failure.map(|failure| failure.error.message).or(reason);
            Err(Failure::of_run(&why.unwrap_or_else(|| format!("{id} ended as {status}"))))
        }
        ApprovalStatus::AwaitingVault => {
            printer.say("it runs as soon as the vault is unlocked: aileron vault unlock");
            Ok(Exit::NotYet)
        }
        ApprovalStatus::Running | ApprovalStatus::PendingApproval => {
            printer.say("it still runs; what becomes of it: aileron action runs");
            Ok(Exit::NotYet)
        }
    }
}

async fn settled(connection: &Connection<'_>, id: &str) -> Result<Answer<ApprovalResult>> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = PAUSE;
    loop {
        let answer = connection.client.approval_result(id).await?;
        let status = answer.value.status;
        let stays = status.is_end() || status == ApprovalStatus::AwaitingVault;
        if stays || Instant::now() >= deadline {
            return Ok(answer);
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

//! A connector for the notes service of the demo: list the notes, create one.

use std::process::ExitCode;

use aileron_sdk::{Connector, Request, Result};
use serde::{Deserialize, Serialize};

/// Where the service is; the action's author fixes it.
#[derive(Deserialize)]
struct List {
    base: String,
}

#[derive(Deserialize)]
struct Create {
    base: String,
    #[serde(flatten)]
    note: NewNote,
}

#[derive(Deserialize, Serialize)]
struct NewNote {
    title: String,
    text: String,
}

#[derive(Deserialize, Serialize)]
struct Note {
    id: u64,
    title: String,
    text: String,
}

#[derive(Deserialize, Serialize)]
struct Notes {
    notes: Vec<Note>,
}

fn main() -> ExitCode {
    Connector::start().operation("list", list).operation("create", create).finish()
}

fn list(args: List) -> Result<Notes> {
    let answer = Request::get(format!("{}/notes", args.base)).credential("api_key").send()?;
    answer.success()?.json()
}

fn create(args: Create) -> Result<Note> {
    let request = Request::post(format!("{}/notes", args.base)).credential("api_key");
    request.json(&args.note)?.send()?.success()?.json()
}

//! `aileron`: parses, calls the REST API, prints. With the default feature `runtime` the same
//! program is also the daemon; without it, a thin HTTPS client.
//!
//! Deliberately absent: decisions. Whatever a command needs to know it asks the runtime.

mod arguments;
mod commands;
mod connection;
mod exit;
mod failure;
mod printer;
#[cfg(feature = "runtime")]
mod runtime;
mod table;
mod terminal;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use aileron_api::Sensitive;
use clap::Parser as _;

use crate::{arguments::Arguments, connection::Settings, exit::Exit, printer::Printer};

fn main() -> ExitCode {
    let environment: BTreeMap<_, _> = std::env::vars().collect();
    let printer = Printer::new(environment.get("NO_COLOR").is_some_and(|value| !value.is_empty()));
    let arguments = Arguments::parse();
    let settings = settings(&environment);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(commands::run(arguments.command, &settings, printer));
    let exit = outcome.unwrap_or_else(|failure| {
        printer.error(failure.to_string());
        if failure.needs_token() && settings.token.is_none() {
            printer.say("  set AILERON_TOKEN to a token of that runtime");
        }
        Exit::Failed
    });
    exit.into()
}

/// Empty variables count as unset.
fn settings(environment: &BTreeMap<String, String>) -> Settings {
    let get = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let home = get("AILERON_HOME")
        .map(PathBuf::from)
        .or_else(|| get("HOME").map(|home| PathBuf::from(home).join(".aileron")))
        .unwrap_or_else(|| PathBuf::from(".aileron"));
    Settings {
        home,
        api_url: get("AILERON_API_URL"),
        token: get("AILERON_TOKEN").map(Sensitive::new),
        passphrase: get("AILERON_VAULT_PASSPHRASE").map(Sensitive::new),
    }
}

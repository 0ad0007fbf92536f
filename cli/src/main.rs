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
mod progress;
#[cfg(feature = "runtime")]
mod runtime;
mod signals;
mod table;
mod terminal;

use std::{alloc::System, ffi::OsString, path::PathBuf, process::ExitCode};

use aileron_api::Sensitive;
use clap::Parser as _;
use zeroizing_alloc::ZeroAlloc;

use crate::{
    arguments::Arguments,
    connection::{Process, Settings},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
};

/// Wipes what is freed: passphrases and credentials pass through buffers of libraries that do not.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let printer = Printer::new(environment("NO_COLOR").is_some());
    let arguments = Arguments::parse();
    let exit = match settings(environment) {
        Ok(settings) => start(arguments, &settings, printer).unwrap_or_else(|failure| {
            let exit = told(&failure, printer);
            advise(&failure, &settings, printer);
            exit
        }),
        Err(failure) => told(&failure, printer),
    };
    match printer.lost() {
        Some(why) => {
            printer.error(format!("standard output cannot be written: {why}"));
            Exit::Failed.into()
        }
        None => exit.into(),
    }
}

fn start(arguments: Arguments, settings: &Settings, printer: Printer) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::plain(format!("cannot start: {error}")))?;
    let done = runtime.block_on(commands::run(arguments.command, settings, printer));
    if matches!(done, Err(Failure::Stopped(_))) {
        // A question may be left that waits for its answer: nobody waits for the question.
        runtime.shutdown_background();
    }
    done
}

fn told(failure: &Failure, printer: Printer) -> Exit {
    printer.error(failure.to_string());
    if let Failure::Stopped(asked) = failure { Exit::Stopped(*asked) } else { Exit::Failed }
}

/// What may be wrong with the environment.
fn advise(failure: &Failure, settings: &Settings, printer: Printer) {
    if failure.needs_token() && settings.token.is_none() {
        printer.say("  set AILERON_TOKEN to a token of that runtime");
    }
    if failure.lacks_a_right() && settings.token.is_some() && settings.passphrase.is_none() {
        printer.say("  that was the token in AILERON_TOKEN; with the passphrase in");
        printer.say("  AILERON_VAULT_PASSPHRASE the command acts as a person");
    }
    if let Some(url) = &settings.api_url
        && failure.found_nothing()
        && !url.trim_end_matches('/').ends_with("/v1")
    {
        printer.say(format!("  AILERON_API_URL is {url}; the address of a runtime ends in /v1"));
    }
}

/// Empty variables count as unset. Only a path may be anything but text.
fn settings(environment: impl Fn(&str) -> Option<OsString>) -> Result<Settings> {
    let text = |name: &str| {
        let value = environment(name).map(OsString::into_string).transpose();
        value.map_err(|_| Failure::plain(format!("{name} is not UTF-8 text")))
    };
    let below_home = |folder: &str| match environment("HOME") {
        Some(home) => PathBuf::from(home).join(folder),
        None => PathBuf::from(folder),
    };
    Ok(Settings {
        home: environment("AILERON_HOME").map_or_else(|| below_home(".aileron"), PathBuf::from),
        api_url: text("AILERON_API_URL")?,
        token: text("AILERON_TOKEN")?.map(Sensitive::new),
        passphrase: text("AILERON_VAULT_PASSPHRASE")?.map(Sensitive::new),
        process: Process {
            program: std::env::current_exe().ok(),
            directory: std::env::current_dir().ok(),
            path: environment("PATH"),
            variables: std::env::vars_os().map(|(name, _)| name).collect(),
            #[cfg(feature = "runtime")]
            own: connection::Own {
                environment: runtime::Environment::new(std::env::vars_os()),
                crates: environment("CARGO_HOME")
                    .map_or_else(|| below_home(".cargo"), PathBuf::from),
                temporary: std::env::temp_dir(),
            },
        },
    })
}

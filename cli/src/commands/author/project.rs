//! Projects, actions and keys: made, checked, built.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::done;
use crate::{
    arguments::{NewActionArguments, NewArguments},
    exit::Exit,
    failure::{Failure, Result},
    printer::Printer,
    runtime::author,
};

pub(super) fn create(arguments: &NewArguments, printer: Printer) -> Result<Exit> {
    let connector: author::Fqn = done(named(arguments)?.parse())?;
    let sdk = match &arguments.sdk {
        None => author::Sdk::Own,
        Some(path) => {
            let whole = path.canonicalize();
            let whole = whole.map_err(|error| Failure::file("find", path, error))?;
            author::Sdk::At(whole.display().to_string())
        }
    };
    let key = arguments.key.as_deref().map(author::read_public_key);
    let key = done(key.transpose())?;
    let folder = match &arguments.path {
        Some(path) => path.clone(),
        None => PathBuf::from(connector.repo()),
    };
    let lacks_key = key.is_none();
    let project = author::NewProject { connector, host: host(&arguments.host)?, sdk, key };
    let written = done(author::create(&folder, &project))?;
    printer.tick(format!("Wrote {} files to {}", written.len(), folder.display()));
    printer.say(format!("  {} says what is where; then:", folder.join("README.md").display()));
    printer.say("  aileron connector build, test, pack, sign");
    if lacks_key {
        printer.say("  keys/publisher.pub is still missing: aileron keyring generate makes a key");
    }
    Ok(Exit::Done)
}

/// `aileron connector check PATH`.
pub(crate) async fn check(project: &Path, json: bool, printer: Printer) -> Result<Exit> {
    let working = printer.working("checking");
    let problems = author::check(project).await;
    drop(working);
    let problems = done(problems)?;
    if json {
        let items: Vec<_> = problems
            .iter()
            .map(|it| json!({"file": it.file(), "line": it.line(), "class": it.class().text(), "message": it.message()}))
            .collect();
        printer.data(json!({ "problems": items }).to_string());
    } else {
        for problem in &problems {
            printer.data(format!("{}:{}: {}", problem.file(), problem.line(), problem.message()));
        }
    }
    match problems.len() {
        0 => {
            printer.tick("no problems");
            Ok(Exit::Done)
        }
        1 => Err(Failure::plain("1 problem")),
        several => Err(Failure::plain(format!("{several} problems"))),
    }
}

pub(super) fn build(project: &Path, crates: &Path, printer: Printer) -> Result<Exit> {
    let built = done(author::build(project, crates))?;
    printer.tick(format!("Built {} ({} bytes)", built.module.display(), built.bytes));
    printer.say(format!("  {}", built.hash));
    printer.say(format!("  by {}", built.toolchain));
    Ok(Exit::Done)
}

/// `aileron action new`.
pub(crate) async fn action(arguments: &NewActionArguments, printer: Printer) -> Result<Exit> {
    let NewActionArguments { name, op, path } = arguments;
    let written = done(author::create_action(path, name, op.as_deref()).await)?;
    printer.tick(format!("Wrote {}", written.path));
    if let Some(dead) = written.dead {
        printer.cross(dead);
    }
    printer.say(format!("  list it in suite.toml: \"actions/{}\"", arguments.name));
    Ok(Exit::Done)
}

/// `aileron keyring generate`.
pub(crate) fn key(out: &Path, printer: Printer) -> Result<Exit> {
    let key = done(author::create_key(out))?;
    printer.tick(format!("Made the key {}", key.fingerprint));
    printer.say(format!("  {}  signs: keep it, show it to nobody", key.private.display()));
    printer.say(format!("  {}  the same, as a release job's secret", key.private_base64.display()));
    printer.say(format!("  {}  for keys/publisher.pub", key.public.display()));
    Ok(Exit::Done)
}

/// The connector's whole name.
fn named(arguments: &NewArguments) -> Result<String> {
    match (&arguments.owner, arguments.name.contains("://")) {
        (None, true) => Ok(arguments.name.clone()),
        (Some(owner), false) => Ok(format!("github://{owner}/{}", arguments.name)),
        (Some(_), true) => Err(Failure::plain("the name has its owner already: leave --owner out")),
        (None, false) => Err(Failure::plain(format!(
            "who publishes it? --owner OWNER, or the whole name: github://OWNER/{}",
            arguments.name
        ))),
    }
}

fn host(text: &str) -> Result<author::HostPort> {
    let ported = text
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()));
    let whole = if ported { text.to_owned() } else { format!("{text}:443") };
    done(whole.parse())
}

//! `aileron status host-bindings`: which host gets which credential in a sandbox, as the published
//! descriptors say, merged on this machine without asking anybody. What is broken in them is told
//! before a launch finds out.

mod descriptor;

use std::{fs::File, io, io::Read as _, path::Path};

use serde::Serialize;

use self::descriptor::{Descriptor, Read};
use crate::{
    exit::Exit,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    table,
};

/// The person's own, in the state folder.
const FILE: &str = "binding-descriptors.yaml";
const MAX_FILE: u64 = 1024 * 1024;

/// As published: what comes later wins.
const LAYERS: [(&str, &str); 2] = [
    ("default", include_str!("host_bindings/default.yaml")),
    ("gh", include_str!("host_bindings/gh.yaml")),
];

/// One row of the merged table, and where it was said.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    #[serde(flatten)]
    descriptor: Descriptor,
    from: String,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Table {
    bindings: Vec<Row>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Table {
    fn lay(&mut self, from: &str, text: &str) {
        let Read { descriptors, problems, warnings } = Read::of(text);
        let said = |what: String| format!("{from}: {what}");
        self.problems.extend(problems.into_iter().map(said));
        self.warnings.extend(warnings.into_iter().map(said));
        for descriptor in descriptors {
            let row = Row { descriptor, from: from.to_owned() };
            let key = row.descriptor.key();
            match self.bindings.iter_mut().find(|it| it.descriptor.key() == key) {
                Some(earlier) => *earlier = row,
                None => self.bindings.push(row),
            }
        }
    }
}

pub(in crate::commands) fn show(home: &Path, json: bool, printer: Printer) -> Result<Exit> {
    let mut merged = Table::default();
    for (name, text) in LAYERS {
        merged.lay(name, text);
    }
    let file = home.join(FILE);
    if let Some(text) = read(&file)? {
        merged.lay(&file.display().to_string(), &text);
    }
    if json {
        let text = serde_json::to_string(&merged);
        printer.data(text.map_err(|error| Failure::plain(error.to_string()))?);
    } else {
        tell(&merged, printer);
    }
    Ok(if merged.problems.is_empty() { Exit::Done } else { Exit::Failed })
}

fn tell(merged: &Table, printer: Printer) {
    let rows = merged.bindings.iter().map(|Row { descriptor, from }| {
        let [who, credential, scheme, mechanism] = descriptor.told();
        [who, credential, scheme, mechanism, from.clone()]
    });
    let headings = ["FOR", "CREDENTIAL", "SCHEME", "EMITTED", "FROM"];
    table::print(printer, "no host bindings", headings, rows);
    for warning in &merged.warnings {
        printer.say(one_line(warning));
    }
    for problem in &merged.problems {
        printer.cross(one_line(problem));
    }
    printer.say("For agents in sandboxes, which this version does not start yet.");
}

/// None when there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    let failed = |error| Failure::file("read", path, error);
    // A pipe in its place would keep whoever opens it waiting.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found if found.as_ref().is_ok_and(|it| !it.is_file()) => {
            return Err(Failure::plain(format!("{} is no file: remove it", path.display())));
        }
        found => found.map(drop).map_err(failed)?,
    }
    let file = File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Failure::plain(format!("{} holds more than {MAX_FILE} bytes", path.display())));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(own: &str) -> Table {
        let mut merged = Table::default();
        for (name, text) in LAYERS.into_iter().chain([("own", own)]) {
            merged.lay(name, text);
        }
        merged
    }

    #[test]
    fn what_is_built_in_is_sound() {
        let table = merged("version: v1\nbindings: []\n");
        assert_eq!((table.problems.len(), table.warnings.len()), (0, 0), "{table:?}");
        let told: Vec<_> = table.bindings.iter().map(|row| row.descriptor.told()).collect();
        let expected = [
            ["api.linear.app", "user/linear", "header-template", "inject"],
            ["github.com", "user/github", "basic", "inject"],
            ["api.github.com", "user/github", "bearer", "sentinel-swap"],
        ];
        assert_eq!(told, expected.map(|row| row.map(str::to_owned)));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert!(read(&path).unwrap().is_none());
        std::fs::create_dir(&path).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is no file"));
    }

    #[test]
    fn the_persons_own_win_and_one_that_is_broken_leaves_the_rest() {
        let own = "version: v1\nbindings:\n\
                   - {host: API.linear.app, credential_ref: api_key/linear/me, scheme: bearer}\n\
                   - {host: x.example, credential_ref: user/<service>, scheme: bearer}\n";
        let table = merged(own);
        assert_eq!(table.bindings.len(), 3);
        assert_eq!(table.bindings[0].from, "own");
        assert_eq!(table.bindings[0].descriptor.told()[1], "api_key/linear/me");
        assert_eq!(table.problems.len(), 1);
        assert!(table.problems[0].starts_with("own: bindings[1].credential_ref:"), "{table:?}");
    }
}

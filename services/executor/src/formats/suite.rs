//! Suites (`suite.toml`): a list of actions to install together.

use aileron_contract::{limits, names::PackageRef};

use super::{Problem, ProblemKind, table::Document};

/// A suite as written; members may still lack their repository and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteFile {
    pub name: String,
    pub description: String,
    /// One or more, in declaration order.
    pub members: Vec<Member>,
}

/// One entry of `actions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// Below the suite's own repository, at the suite's version; without a leading `/`.
    Path(String),
    Package(PackageRef),
}

/// Reads a suite. `file` names it in problems.
pub fn parse(bytes: &[u8], file: &str) -> Result<SuiteFile, Problem> {
    let refused = |message: &str| Problem::new(ProblemKind::Parse, message, file, 0);
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::SUITE {
        return Err(refused(&format!("the suite is longer than {} bytes", limits::SUITE)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("the suite is not UTF-8"))?;
    let document = Document::new("suite", file, text, 1);
    let mut root = document.root()?;
    let (name, description) = (root.text("name")?, root.text("description")?);
    let actions = root.texts("actions")?;
    drop(root);
    document.closed()?;
    let filled = |text, key| {
        let text = document.required(text, key, 1)?;
        if text.is_blank() {
            return Err(document.invalid(format!("{key} must not be empty"), text.line));
        }
        Ok(text.value)
    };
    let name = filled(name, "name")?;
    let description = filled(description, "description")?;
    let actions = document.required(actions, "actions", 1)?;
    if actions.value.is_empty() {
        return Err(document.invalid("actions needs at least one entry", actions.line));
    }
    let members = actions.value.iter().map(|entry| {
        member(entry)
            .map_err(|rule| document.invalid(format!("actions: {entry:?} {rule}"), actions.line))
    });
    Ok(SuiteFile { name, description, members: members.collect::<Result<_, _>>()? })
}

fn member(entry: &str) -> Result<Member, String> {
    if entry.contains("://") {
        return entry.parse().map(Member::Package).map_err(|error: aileron_contract::Error| {
            format!("cannot be installed: {}", error.public())
        });
    }
    let path = entry.strip_prefix('/').unwrap_or(entry);
    let sound = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
    };
    if path.split('/').all(sound) {
        return Ok(Member::Path(path.to_owned()));
    }
    Err("is neither a path like actions/list nor a package with its version".to_owned())
}

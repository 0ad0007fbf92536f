//! A new project, as a repository ships it.

use aileron_contract::{
    Error, Reason, Result,
    names::{ActionName, Fqn, HostPort},
};

use super::{ActionSource, PublicKey};

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("template/", $name))
    };
}

macro_rules! sdk {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../connectors/sdk/", $path)))),+]
    };
}

/// The connector SDK, whole: a project carries it along, because it is published nowhere else.
const SDK: &[(&str, &str)] = sdk!(
    "Cargo.toml",
    "src/arguments.rs",
    "src/connector.rs",
    "src/error.rs",
    "src/http.rs",
    "src/imports.rs",
    "src/lib.rs",
    "src/log.rs",
    "src/testing.rs",
);

/// The versions of the SDK's dependencies that were tested with it.
const LOCK: &str = include_str!("../../../connectors/Cargo.lock");

/// One file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// From the project's root.
    pub path: String,
    pub text: String,
}

/// Where a project's connector finds the SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// In the project, as `sdk/`.
    Own,
    /// In this folder, as a Cargo manifest spells it.
    At(String),
}

/// What a new project is about.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// `github://owner/repo`.
    pub connector: Fqn,
    /// The host it talks to.
    pub host: HostPort,
    pub sdk: Sdk,
    /// The key that its packages will be signed with, when there is one already.
    pub key: Option<PublicKey>,
}

/// What a new action is about.
#[derive(Clone, Debug)]
pub struct NewAction {
    pub connector: Fqn,
    pub name: ActionName,
    pub op: String,
}

impl NewProject {
    /// Every file of the project.
    pub fn files(&self) -> Result<Vec<NewFile>> {
        if !self.connector.subpath().is_empty() {
            let text = format!("a connector is a repository of its own, not {}", self.connector);
            return Err(Error::new(Reason::InvalidFqn, text));
        }
        let prefix = self.prefix();
        let plain = [
            ("README.md".to_owned(), template!("readme.md")),
            (".gitignore".to_owned(), template!("gitignore")),
            (".github/workflows/release.yml".to_owned(), template!("release.yml")),
            (".github/release".to_owned(), template!("release.sh")),
            ("Cargo.toml".to_owned(), template!("workspace.toml")),
            ("connector/Cargo.toml".to_owned(), template!("connector.toml")),
            ("connector/manifest.toml".to_owned(), template!("manifest.toml")),
            ("connector/src/main.rs".to_owned(), template!("main.rs.txt")),
            (format!("actions/{prefix}-list/action.md"), template!("list.md")),
            (format!("actions/{prefix}-create/action.md"), template!("create.md")),
            ("suite.toml".to_owned(), template!("suite.toml")),
        ];
        let mut files: Vec<_> = plain
            .into_iter()
            .map(|(path, text)| NewFile { path, text: self.filled(text, &prefix) })
            .collect();
        files.push(file("Cargo.lock", locked()));
        if self.sdk == Sdk::Own {
            files.extend(SDK.iter().map(|(path, text)| file(&format!("sdk/{path}"), *text)));
        }
        if let Some(key) = &self.key {
            files.push(file("keys/publisher.pub", key.pem()?));
        }
        Ok(files)
    }

    fn filled(&self, text: &str, prefix: &str) -> String {
        let (members, sdk) = match &self.sdk {
            Sdk::Own => ("\"connector\", \"sdk\"", "sdk"),
            Sdk::At(path) => ("\"connector\"", path.as_str()),
        };
        text.replace("__MEMBERS__", members)
            .replace("__SDK__", sdk)
            .replace("__FQN__", self.connector.as_str())
            .replace("__OWNER__", self.connector.owner())
            .replace("__REPO__", self.connector.repo())
            .replace("__PREFIX__", prefix)
            .replace("__HOST__", &self.host.to_string())
            .replace("__BASE__", &self.base())
    }

    /// Plain HTTP is for this machine only.
    fn base(&self) -> String {
        let host = self.host.to_string();
        if self.host.is_loopback() {
            return format!("http://{host}");
        }
        format!("https://{}", host.strip_suffix(":443").unwrap_or(&host))
    }

    /// The repository's name as names of actions begin.
    fn prefix(&self) -> String {
        let lower = self.connector.repo().to_ascii_lowercase();
        let prefix = lower.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let prefix: String = prefix.chars().take(100).collect();
        if prefix.is_empty() { "items".to_owned() } else { prefix }
    }
}

impl NewAction {
    /// `actions/<name>/action.md`.
    pub fn file(&self) -> Result<NewFile> {
        let sound = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if self.op.is_empty() || !self.op.chars().all(sound) {
            let text = format!("{:?} is no operation's name", self.op);
            return Err(Error::new(Reason::ValidationError, text));
        }
        let text = template!("action.md")
            .replace(
                "__FQN__/actions/__NAME__",
                &ActionSource::published(&self.connector, &self.name),
            )
            .replace("__NAME__", self.name.as_str())
            .replace("__FQN__", self.connector.as_str())
            .replace("__OP__", &self.op);
        Ok(file(&format!("actions/{}/action.md", self.name), text))
    }
}

fn file(path: &str, text: impl Into<String>) -> NewFile {
    NewFile { path: path.to_owned(), text: text.into() }
}

/// The lock file of our own guests with the sample connector's entry as the project's.
fn locked() -> String {
    const START: &str = "[[package]]\n";
    let mut parts = LOCK.split(START);
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<_> = parts
        .map(|entry| entry.trim_end().replacen("name = \"notes\"", "name = \"connector\"", 1))
        .collect();
    packages.sort();
    let entries: Vec<_> = packages.iter().map(|entry| format!("{START}{entry}\n")).collect();
    format!("{head}{}", entries.join("\n"))
}

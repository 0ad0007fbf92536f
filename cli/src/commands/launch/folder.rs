//! A session's own folder in the state folder: the MCP configuration with the agent's token, for as
//! long as the session lasts. A lock says whether whoever launched it is still there.

use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use aileron_api::Sensitive;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::agent::Tools;
use crate::{
    exit::Exit,
    failure::{Failure, Result},
};

const LOCK: &str = "lock";
const TOOLS: &str = "mcp.json";
/// One server with a handful of variables.
const MAX_FILE: u64 = 64 * 1024;

/// Removed with all that is in it when dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(super) fn create(home: &Path, session: &str) -> Result<Self> {
        let path = below(home).join(session);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::file("create", &path, error))?;
        let lock = private(&path.join(LOCK))?;
        lock.try_lock()
            .map_err(|error| Failure::plain(format!("cannot lock {}: {error}", path.display())))?;
        Ok(Self { path, _lock: lock })
    }

    /// The published form that agents read. The token is in it, and nowhere else.
    pub(super) fn write_tools(&self, tools: &Tools, token: &Sensitive) -> Result<PathBuf> {
        let path = self.path.join(TOOLS);
        let Tools { program, url, page, session } = tools;
        let variables = [
            ("AILERON_URL", url.as_str()),
            ("AILERON_COMMS_URL", url.as_str()),
            ("AILERON_SESSION_ID", session.as_str()),
            ("AILERON_APPROVAL_URL", &format!("{page}/approvals")),
            ("AILERON_TOKEN", token.expose()),
        ];
        let env = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let server = Server { command: program.clone(), env: env.into_iter().collect() };
        let servers = Servers { servers: BTreeMap::from([("aileron".to_owned(), server)]) };
        let text = serde_json::to_vec_pretty(&servers)
            .map_err(|error| Failure::plain(format!("{}: {error}", path.display())))?;
        private(&path)?.write_all(&text).map_err(|error| Failure::file("write", &path, error))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is removed by the next launch.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

#[derive(Deserialize, Serialize)]
struct Servers {
    #[serde(rename = "mcpServers")]
    servers: BTreeMap<String, Server>,
}

#[derive(Deserialize, Serialize)]
struct Server {
    command: PathBuf,
    env: BTreeMap<String, String>,
}

/// Becomes the MCP server that the session's file describes: for agents whose own configuration
/// would show the token on a command line.
pub(crate) fn serve_tools(file: &Path) -> Result<Exit> {
    let failed = |error| Failure::file("read", file, error);
    let no_link = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let opened = OpenOptions::new().read(true).custom_flags(no_link).open(file).map_err(failed)?;
    let found = opened.metadata().map_err(failed)?;
    let own = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_file() || !own || found.mode() & 0o077 != 0 {
        return Err(Failure::plain(format!("{} is not a file of yours alone", file.display())));
    }
    let mut text = Vec::new();
    opened.take(MAX_FILE).read_to_end(&mut text).map_err(failed)?;
    let unfit = || Failure::plain(format!("{} is no session's MCP configuration", file.display()));
    let Servers { mut servers } = serde_json::from_slice(&text).map_err(|_| unfit())?;
    let Server { command, env } = servers.remove("aileron").ok_or_else(unfit)?;
    let error = Command::new(&command).envs(env).exec();
    Err(Failure::file("start", command, error))
}

/// What a launch that was killed left.
pub(super) struct Left {
    pub(super) session: String,
    folder: Folder,
}

impl Left {
    pub(super) fn remove(self) {
        drop(self.folder);
    }
}

/// Folders whose lock nobody holds.
pub(super) fn left_behind(home: &Path) -> Vec<Left> {
    let Ok(entries) = std::fs::read_dir(below(home)) else { return Vec::new() };
    let found = entries.flatten().filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir()));
    found
        .filter_map(|entry| {
            let session = entry.file_name().into_string().ok()?;
            let folder = Folder::create(home, &session).ok()?;
            Some(Left { session, folder })
        })
        .collect()
}

fn below(home: &Path) -> PathBuf {
    home.join("sessions")
}

fn private(path: &Path) -> Result<File> {
    let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .custom_flags(no_link)
        .open(path)
        .map_err(|error| Failure::file("open", path, error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_token_is_in_a_file_of_the_owner_alone_and_gone_with_the_session() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::create(home.path(), "01A").unwrap();
        let tools = Tools {
            program: "/bin/aileron-mcp".into(),
            url: "http://127.0.0.1:1".to_owned(),
            page: "https://page.example".to_owned(),
            session: "01A".to_owned(),
        };
        let file = folder.write_tools(&tools, &Sensitive::new("ala_x".to_owned())).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("ala_x") && text.contains("\"https://page.example/approvals\""));
        assert!(left_behind(home.path()).is_empty(), "its launch is still there");
        drop(folder);
        assert!(!file.exists() && !file.parent().unwrap().exists());
    }

    #[test]
    fn what_a_killed_launch_left_is_found_and_can_be_removed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sessions/01B");
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join(TOOLS), "{}").unwrap();
        let mut left = left_behind(home.path());
        assert_eq!(left.len(), 1);
        let left = left.remove(0);
        assert_eq!(left.session, "01B");
        left.remove();
        assert!(!path.exists());
    }

    #[test]
    fn tools_are_served_from_a_private_file_only() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("mcp.json");
        std::fs::write(&file, r#"{"mcpServers":{"aileron":{"command":"/bin/true","env":{}}}}"#)
            .unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(serve_tools(&file).is_err());
    }
}

//! A person at a browser: opens the address an agent showed, signs in, reads the card, decides.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};

use crate::house::PASSPHRASE;

/// What the person does with the card.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    Approve,
    /// With a reason.
    Deny(&'static str),
    /// Nothing.
    Look,
}

/// What the person saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The first card's text; empty without one.
    pub(crate) card: String,
    /// Its arguments as they were given.
    pub(crate) raw: String,
    pub(crate) buttons: Value,
    /// What is told of the one the person came for, when it does not wait any more.
    pub(crate) said: String,
}

/// Visits `link`; the pictures are called `name`.
pub(crate) async fn visit(link: &str, deed: Deed, name: &str) -> Seen {
    let mut command = tokio::process::Command::new("node");
    command.arg(script()).arg(link).env("PAGE_SCENE", scene(deed, name));
    let driven = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_mins(2), driven).await;
    let output = output.unwrap_or_else(|_| panic!("the browser does not end")).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Seen::read(&said)
}

/// Puts a program into `folder` that the system's way to open a browser finds: what it opens is
/// visited, and what was seen stands in the file that is returned.
pub(crate) fn plant(folder: &Path, deed: Deed, name: &str) -> PathBuf {
    let seen = folder.join("seen.json");
    let (asked, script) = (folder.join("asked.json"), script());
    std::fs::write(&asked, scene(deed, name)).unwrap();
    let text = format!(
        "#!/bin/sh\nPAGE_SCENE=\"$(cat {})\" node {} \"file://$1\" > {seen}.part 2>&1\n\
         mv {seen}.part {seen}\n",
        asked.display(),
        script.display(),
        seen = seen.display(),
    );
    let opener = folder.join("xdg-open");
    std::fs::write(&opener, text).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    seen
}

impl Seen {
    pub(crate) fn read(said: &str) -> Self {
        let last: Value = serde_json::from_str(said.lines().last().unwrap())
            .unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(last["problems"], json!([]), "{last:#}");
        let text = |key: &str| last[key].as_str().unwrap().to_owned();
        Self {
            card: text("seen"),
            raw: text("raw"),
            buttons: last["buttons"].clone(),
            said: text("said"),
        }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/decide.mjs")
}

fn scene(deed: Deed, name: &str) -> String {
    let folder = std::env::var_os("AILERON_BROWSER").map(PathBuf::from);
    let Some(folder) = folder else {
        panic!("AILERON_BROWSER must name a folder with playwright-core: use tests/run");
    };
    let shots = std::env::current_exe().unwrap();
    let shots = shots.parent().unwrap().parent().unwrap().join("page-shots");
    let (decision, reason) = match deed {
        Deed::Approve => ("approve", ""),
        Deed::Deny(reason) => ("deny", reason),
        Deed::Look => ("look", ""),
    };
    json!({
        "folder": folder, "shots": shots, "passphrase": PASSPHRASE,
        "decision": decision, "reason": reason, "name": name,
    })
    .to_string()
}

//! The file that a browser is handed: a form that sends itself, with a code that signs the browser
//! in. It goes when it is dropped; what a killed command left goes with the next one. A lock says
//! whether its command is still there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use aileron_api::page::PageCode;
use rustix::fs::OFlags;

const PREFIX: &str = "open-";
const SUFFIX: &str = ".html";

pub(super) struct Handover {
    path: PathBuf,
    _lock: File,
}

impl Handover {
    /// A form of the page's at `code.page_url` that leads to `path` there.
    pub(super) fn write(home: &Path, code: &PageCode, path: &str) -> io::Result<Self> {
        let file = home.join(format!("{PREFIX}{}{SUFFIX}", code.id));
        let mut lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
        // Locked while it is empty: what is empty is nobody's leftover.
        lock.lock()?;
        lock.write_all(form(code, path).as_bytes())?;
        Ok(Self { path: file, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        // Its code is used or soon over: a file that stays is worth nothing, and swept away later.
        drop(fs::remove_file(&self.path));
    }
}

/// Removes the files of commands that were killed. One that cannot be removed keeps nobody from
/// working.
pub(in crate::commands) fn sweep(home: &Path) {
    let Ok(entries) = fs::read_dir(home) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let own = name.to_str().is_some_and(|it| it.starts_with(PREFIX) && it.ends_with(SUFFIX));
        if own && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            drop(remove_if_left(&entry.path()));
        }
    }
}

fn remove_if_left(path: &Path) -> io::Result<()> {
    let no_link = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(no_link).open(path)?;
    if file.try_lock().is_ok() && file.metadata()?.len() > 0 {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn form(code: &PageCode, path: &str) -> String {
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>Aileron</title>\n\
         <form method=\"post\" action=\"{}/sign-in/code\">\n\
         <input type=\"hidden\" name=\"code\" value=\"{}\">\n\
         <input type=\"hidden\" name=\"to\" value=\"{}\">\n\
         <button>Go on to Aileron</button>\n</form>\n\
         <script>document.forms[0].submit()</script>\n</html>\n",
        escaped(&code.page_url),
        escaped(code.code.expose()),
        escaped(path),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use aileron_api::Sensitive;

    use super::*;

    fn code(id: &str) -> PageCode {
        PageCode {
            id: id.to_owned(),
            code: Sensitive::new("c0de".to_owned()),
            page_url: "http://x.localhost:1".to_owned(),
            expires_at: String::new(),
        }
    }

    #[test]
    fn the_code_is_in_a_file_of_the_owner_alone_and_in_no_name_and_goes_with_it() {
        let home = tempfile::tempdir().unwrap();
        let code = code("0123456789abcdef");
        let handover = Handover::write(home.path(), &code, "/approvals?focus=a").unwrap();
        let path = handover.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("action=\"http://x.localhost:1/sign-in/code\""), "{text}");
        assert!(!path.to_string_lossy().contains("c0de") && text.contains("c0de"));
        drop(handover);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_command_left_is_swept_away_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let there = Handover::write(home.path(), &code("a"), "/").unwrap();
        for (name, text) in [("open-b.html", "left"), ("open-c.html", ""), ("open.html", "mine")] {
            fs::write(home.path().join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("open.html", home.path().join("open-d.html")).unwrap();
        sweep(home.path());
        let mut names: Vec<_> = fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["open-a.html", "open-c.html", "open-d.html", "open.html"]);
        drop(there);
        assert!(!home.path().join("open-a.html").exists());
    }
}

//! `aileron open`: the web page in the person's browser, signed in.
//!
//! Nothing secret stands on a browser's command line or in an address, where every program of this
//! machine could read it: the browser opens a file of the person's own, which posts a code that is
//! good once and for a minute, and the file goes when the code has.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use aileron_api::{client::Client, page::PageCode};

use super::binding::browser;
use crate::{
    arguments::OpenTarget,
    connection::Connection,
    exit::Exit,
    failure::{Failure, Result},
};

/// How often the runtime is asked whether the browser came.
const PACE: Duration = Duration::from_millis(200);

/// As long as the code is good, and a little more.
const TIMES: u32 = 310;

pub(super) async fn run(target: Option<OpenTarget>, connection: &Connection<'_>) -> Result<Exit> {
    let path = path_of(target)?;
    let printer = connection.printer;
    let person = connection.person_alone().await?;
    let code = match person.client.page_code().await {
        Ok(code) => code.value,
        Err(error) => {
            person.leave().await;
            return Err(error.into());
        }
    };
    printer.data(format!("{}{path}", code.page_url));
    let came = match Handover::write(&connection.settings.home, &code, &path) {
        Ok(handover) => browser::open_file(&handover.0) && taken(&person.client, &code.id).await,
        Err(error) => {
            printer.cross(format!("the file for the browser cannot be written: {error}"));
            false
        }
    };
    if came {
        // The session is the browser's from here on.
        printer.tick("the page is open and signed in");
        return Ok(Exit::Done);
    }
    person.leave().await;
    printer.say("no browser came: open the address above, and sign in with the passphrase");
    Ok(Exit::Done)
}

fn path_of(target: Option<OpenTarget>) -> Result<String> {
    match target {
        None => Ok("/".to_owned()),
        Some(OpenTarget::Approvals) => Ok("/approvals".to_owned()),
        Some(OpenTarget::Approval { id }) => {
            let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
            if id.is_empty() || id.len() > 128 || !id.bytes().all(plain) {
                return Err(Failure::plain(format!("{id:?} is not the id of an approval")));
            }
            Ok(format!("/approvals?focus={id}"))
        }
    }
}

/// Did the browser bring the code?
async fn taken(client: &Client, id: &str) -> bool {
    for _ in 0..TIMES {
        match client.page_code_state(id).await {
            Ok(state) if state.value.state == "waiting" => tokio::time::sleep(PACE).await,
            Ok(state) => return state.value.state == "used",
            // The browser has signed out again, or another session ended all of them.
            Err(_) => return false,
        }
    }
    false
}

/// A form that sends itself; removed when it is dropped.
struct Handover(PathBuf);

impl Handover {
    fn write(home: &Path, code: &PageCode, path: &str) -> io::Result<Self> {
        let file = home.join(format!("open-{}.html", code.id));
        let mut out =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
        let handover = Self(file);
        out.write_all(form(code, path).as_bytes())?;
        Ok(handover)
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        // Its code is used or soon over: a file that stays is worth nothing.
        drop(fs::remove_file(&self.0));
    }
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

    fn code() -> PageCode {
        PageCode {
            id: "0123456789abcdef".to_owned(),
            code: Sensitive::new("c0de".to_owned()),
            page_url: "http://x.localhost:1".to_owned(),
            expires_at: String::new(),
        }
    }

    #[test]
    fn the_file_is_the_persons_alone_and_gone_afterwards() {
        let home = std::env::temp_dir().join(format!("aileron-open-{}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        let handover = Handover::write(&home, &code(), "/approvals?focus=a").unwrap();
        let path = handover.0.clone();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("action=\"http://x.localhost:1/sign-in/code\""), "{text}");
        assert!(!path.to_string_lossy().contains("c0de") && text.contains("c0de"));
        drop(handover);
        assert!(!path.exists());
        fs::remove_dir_all(&home).unwrap();
    }

    #[test]
    fn only_an_id_becomes_part_of_the_address() {
        let of = |id: &str| path_of(Some(OpenTarget::Approval { id: id.to_owned() }));
        assert_eq!(of("act-1").unwrap(), "/approvals?focus=act-1");
        for id in ["", "a b", "a&to=x", "\"><script>", "../x"] {
            assert!(of(id).is_err(), "{id}");
        }
    }
}

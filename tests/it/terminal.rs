//! Prompts, answered at a real terminal: a pseudo-terminal pair, the program at its other end.

mod consents;
mod decision;
mod installs;
mod progress;

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use aileron_node::demo::{OWNER, REPOSITORY, Servers};
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use crate::house::{House, PASSPHRASE, PATIENCE};

/// A command that runs at a terminal.
pub(crate) struct Session {
    child: Child,
    /// The terminal's path.
    name: String,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// Everything shown so far; `seen` of it was waited for.
    shown: String,
    seen: usize,
}

impl Session {
    pub(crate) fn start(house: &House, arguments: &[&str]) -> Self {
        let front = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&front).unwrap();
        unlockpt(&front).unwrap();
        let name = ptsname(&front, Vec::new()).unwrap();
        let back = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let back = File::from(back);
        let wanted = house.command(arguments);
        // `setsid --ctty` makes the pair the program's controlling terminal.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(wanted.get_program()).args(wanted.get_args());
        command.env_clear().envs(wanted.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        command.stdin(Stdio::from(back.try_clone().unwrap()));
        command.stdout(Stdio::from(back.try_clone().unwrap()));
        let child = command.stderr(Stdio::from(back)).spawn().unwrap();
        let keyboard = File::from(front);
        let mut output = keyboard.try_clone().unwrap();
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            // The read fails when the last process at the other end is gone.
            while let Ok(length) = output.read(&mut block) {
                if length == 0 || send.send(block[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let name = name.into_string().unwrap();
        Self { child, name, keyboard, screen, shown: String::new(), seen: 0 }
    }

    /// Waits until the text is shown, behind what was waited for before.
    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.shown[self.seen..].find(text) {
                self.seen += place + text.len();
                return self;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(block) => self.shown.push_str(&String::from_utf8_lossy(&block)),
                Err(error) => panic!("{error} waiting for {text:?} in:\n{}", self.shown),
            }
        }
    }

    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    /// Presses keys, none of which is a line feed that was not meant.
    fn presses(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Presses ctrl-c.
    pub(crate) fn interrupts(&mut self) {
        self.keyboard.write_all(b"\x03").unwrap();
    }

    /// Does the terminal show what is typed, line by line, and does ctrl-c end programs?
    fn is_as_it_was(&self) -> bool {
        let stty = Command::new("stty").args(["-a", "-F", &self.name]).output().unwrap();
        let modes = String::from_utf8(stty.stdout).unwrap();
        let modes: Vec<_> = modes.split_whitespace().collect();
        ["echo", "icanon", "isig"].iter().all(|mode| modes.contains(mode))
    }

    /// Waits for the end; returns the exit code and all that was shown.
    pub(crate) fn ends(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        while let Ok(block) = self.screen.recv_timeout(Duration::from_secs(2)) {
            self.shown.push_str(&String::from_utf8_lossy(&block));
        }
        // As a shell tells of a signal.
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        (code.unwrap(), std::mem::take(&mut self.shown))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_answers_every_prompt_by_hand() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    // The daemon outlives the terminal that a command runs at, so it starts before.
    house.run(&["daemon", "start"]);
    let authority = format!("github://{OWNER}/{REPOSITORY}");
    let suite = format!("{authority}/suite.toml@latest");

    // Two passphrases that differ make no vault; two that match do.
    let mut session = Session::start(&house, &["vault", "init"]);
    session.sees("Creating a new Aileron vault.").sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees("Confirm passphrase: ").types("something else");
    let (code, shown) = session.ends();
    assert!(code == 1 && shown.contains("no vault was created"), "{shown}");
    let mut session = Session::start(&house, &["vault", "init"]);
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees("Confirm passphrase: ").types(PASSPHRASE);
    let (code, shown) = session.ends();
    assert!(code == 0 && shown.contains("the vault was created"), "{shown}");

    // A publisher who is declined is asked about once, and nothing is installed.
    let question = format!("Trust publisher {authority}? [y/N]: ");
    let mut session = Session::start(&house, &["action", "add-suite", &suite]);
    session.sees("Vault passphrase: ").types("not the passphrase");
    session.sees("One more try.").sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees(&format!("Publisher {authority} is not yet trusted."));
    session.sees("Fingerprint: sha256:").sees(&question).types("");
    let (code, shown) = session.ends();
    assert!(code == 1 && shown.contains("0 of 2 actions are installed"), "{shown}");
    assert_eq!(shown.matches("[y/N]").count(), 1, "{shown}");

    // Trust, consent and binding are asked for once each, for both actions.
    let mut session = Session::start(&house, &["action", "add-suite", &suite]);
    session.sees("Vault passphrase: ").types(PASSPHRASE).sees(&question).types("y");
    session.sees("Trusted publisher").sees("Keyring: ").sees("Connector install preview");
    session.sees("Install? [y/N]: ").types("yes");
    session.sees("Bind a credential? [y/N]: ").types("y");
    session.sees("Credential: ").types(&servers.notes_key);
    let (code, shown) = session.ends();
    assert!(code == 0 && shown.contains("2 of 2 actions are installed"), "{shown}");
    assert_eq!(shown.matches("[y/N]").count(), 3, "{shown}");

    approvals(&house, &servers);
}

/// A declined approval leaves the call waiting; an approved one runs.
fn approvals(house: &House, servers: &Servers) {
    let text = "text=x\u{1b}[2Jy";
    let asked = house.run(&["action", "run", "notes-create", "--arg", "title=T", "--arg", text]);
    let id = String::from_utf8(asked.stdout).unwrap().trim().to_owned();
    let mut session = Session::start(house, &["approval", "approve", &id]);
    session.sees("x\\u{1b}[2Jy").sees("Let it run? [y/N]: ").types("n");
    let (code, shown) = session.ends();
    assert!(code == 1 && shown.contains("nothing was changed"), "{shown}");
    assert!(!shown.contains("\u{1b}[2J"), "the agent's text cannot clear the screen");
    assert_eq!(servers.titles(), ["Welcome"]);

    let mut session = Session::start(house, &["approval", "approve", &id]);
    session.sees("Let it run? [y/N]: ").types("y");
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    let (code, shown) = session.ends();
    assert!(code == 0 && shown.contains("approved"), "{shown}");
    assert!(shown.contains("wrapped output:"), "{shown}");
    assert_eq!(servers.titles(), ["Welcome", "T"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_a_hidden_prompt_leaves_the_terminal_as_it_was() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    house.run(&["daemon", "start"]);
    let mut session = Session::start(&house, &["vault", "init"]);
    session.sees("Vault passphrase: ");
    assert!(!session.is_as_it_was(), "a passphrase would be shown");
    session.types(PASSPHRASE).sees("Confirm passphrase: ").interrupts();
    session.sees("interrupted");
    let status = session.child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{}", session.shown);
    assert!(session.is_as_it_was(), "typing stays invisible");
    assert!(!session.shown.contains(PASSPHRASE), "{}", session.shown);
    assert!(!house.path().join("secrets.json").exists());
}

//! How far a download is: told at a terminal, and to nobody else.

use std::sync::{Arc, Barrier};

use serde_json::json;

use super::Session;
use crate::{
    house::{House, PASSPHRASE},
    moody::{Mood, Moody},
    packs::Publisher,
};

#[test]
fn a_download_shows_its_bytes_at_a_terminal_and_nothing_where_nobody_looks() {
    let acme = Publisher::new("acme/notes", 1);
    let archive = |version: &str| acme.connector(&acme.manifest(version, &["notes.example:443"]));
    let (whole, other, key) = (archive("1.0.0"), archive("1.1.0"), acme.key());
    let half = format!("{} B/{} B", whole.len() / 2, whole.len());
    assert!(whole.len() < 1024, "it is told in bytes");
    let barrier = Arc::new(Barrier::new(2));
    let waiting = Arc::clone(&barrier);
    let answers = |body: Vec<u8>| Mood::Answers("200 OK", String::new(), body);
    let source = Moody::start(move |path| match path {
        _ if path.ends_with("/v1.0.0/aileron.tar.gz") => {
            Mood::Waits(whole.clone(), Arc::clone(&waiting))
        }
        _ if path.ends_with("/v1.1.0/aileron.tar.gz") => answers(other.clone()),
        _ if path.ends_with("/keys/publisher.pub") => answers(key.clone().into_bytes()),
        _ => Mood::Answers("404 Not Found", String::new(), Vec::new()),
    });
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &source.authority_pem).unwrap();
    let house = House::bare(&json!({
        "sources": { "github": { "base_url": format!("https://{}", source.host) } },
        "egress": { "roots": [authority], "private_hosts": [source.host] },
        "hub": { "url": "" },
    }));
    house.run(&["daemon", "start"]);
    assert!(house.run_as_person(&["vault", "init"]).status.success());

    let install = ["connector", "install", "github://acme/notes@1.0.0", "--yes"];
    let mut session = Session::start(&house, &install);
    session.sees("Vault passphrase: ").types(PASSPHRASE);
    session.sees("fetching and verifying github://acme/notes").sees(&half);
    barrier.wait();
    session.sees("Connector install preview").sees("Installed github://acme/notes@1.0.0");
    let (code, shown) = session.ends();
    assert_eq!(code, 0, "{shown}");

    let piped =
        house.run_as_person(&["connector", "install", "github://acme/notes@1.1.0", "--yes"]);
    let talk = String::from_utf8(piped.stderr).unwrap();
    assert!(piped.status.success() && !talk.contains("fetching"), "{talk}");
}

//! A publisher with tools of their own: Go, OpenSSL and GNU tar, none of them ours.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use aileron_node::demo::Servers;

use crate::house::House;

/// Runs a tool to its end and returns what it printed.
fn tool(name: &str, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(name).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Signs one file with OpenSSL, as published release jobs do.
fn sign(folder: &Path, file: &str) {
    let arguments = ["pkeyutl", "-sign", "-rawin", "-inkey", "../key.pem", "-in", file, "-out"];
    tool("openssl", &[&arguments[..], &["signature.sig"]].concat(), folder);
}

fn pack(folder: &Path) -> Vec<u8> {
    tool("tar", &["-czf", "../pack.tar.gz", "."], folder);
    std::fs::read(folder.parent().unwrap().join("pack.tar.gz")).unwrap()
}

fn folder(root: &Path, name: &str) -> PathBuf {
    let folder = root.join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// The release of a connector written in Go and of one action for it.
fn release(servers: &Servers, root: &Path) {
    let Some(guest) = std::env::var_os("AILERON_GO_GUEST") else {
        panic!("the guest written in Go is built by tests/run, which sets AILERON_GO_GUEST");
    };
    tool("openssl", &["genpkey", "-algorithm", "ed25519", "-out", "key.pem"], root);
    let public = tool("openssl", &["pkey", "-in", "key.pem", "-pubout"], root);
    servers.publish("/raw/gopher/notes/HEAD/keys/publisher.pub", public);

    let connector = folder(root, "connector");
    let module = std::fs::read(guest).unwrap();
    let manifest = format!(
        "[connector]\nname = \"github://gopher/notes\"\nversion = \"1.0.0\"\n\n\
         [capabilities.network]\nhosts = [\"{}\"]\n\n[capabilities.credential]\n\
         kind = \"api_key\"\nscope = \"read your notes\"\n",
        servers.notes_host
    );
    std::fs::write(connector.join("connector.wasm"), &module).unwrap();
    std::fs::write(connector.join("manifest.toml"), &manifest).unwrap();
    let message = [module, manifest.into_bytes()].concat();
    std::fs::write(root.join("message"), &message).unwrap();
    let printed = tool("sha256sum", &["message"], root);
    let hash = String::from_utf8(printed).unwrap().split(' ').next().unwrap().to_owned();
    sign(&connector, "../message");
    let base = "/gopher/notes/releases/download";
    servers.publish(format!("{base}/v1.0.0/aileron.tar.gz"), pack(&connector));

    let action = folder(root, "action");
    let text = format!(
        "+++\nname = \"go-list\"\nversion = \"1.0.0\"\n\
         source = \"github://gopher/notes/actions/go-list@1.0.0\"\n\n\
         [[requires.connectors]]\nname = \"github://gopher/notes\"\nversion = \"1.0.0\"\n\
         hash = \"sha256:{hash}\"\ncapabilities = [\"list\"]\n\n\
         [match]\nintent = \"List notes\"\n\n[[execute]]\nid = \"list\"\n\
         connector = \"github://gopher/notes\"\nop = \"list\"\nidempotent = true\n\n\
         [execute.inputs]\nbase = \"https://{}\"\n+++\nLists notes.\n",
        servers.notes_host
    );
    std::fs::write(action.join("action.md"), text).unwrap();
    sign(&action, "action.md");
    servers.publish(format!("{base}/actions%2Fgo-list%2Fv1.0.0/aileron.tar.gz"), pack(&action));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_in_go_signed_with_openssl_and_packed_with_gnu_tar_is_installed_and_runs() {
    let servers = Servers::start().await.unwrap();
    let tools = tempfile::tempdir().unwrap();
    release(&servers, tools.path());
    let house = House::new(&servers);
    let person = |arguments: &[&str]| {
        let output = house.run_as_person(arguments);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {talk}");
        String::from_utf8(output.stdout).unwrap()
    };
    person(&["vault", "init"]);
    let action = "github://gopher/notes/actions/go-list@1.0.0";
    person(&["action", "add", action, "--yes", "--no-bind"]);
    let key = tools.path().join("api-key");
    std::fs::write(&key, &servers.notes_key).unwrap();
    let key = key.to_str().unwrap();
    person(&["binding", "setup", "github://gopher/notes", "--value-file", key, "--yes"]);
    assert!(person(&["action", "run", "go-list"]).contains("Welcome"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_in_a_signed_package_and_nothing_is_installed() {
    let servers = Servers::start().await.unwrap();
    let tools = tempfile::tempdir().unwrap();
    release(&servers, tools.path());
    let connector = tools.path().join("connector");
    let manifest = std::fs::read_to_string(connector.join("manifest.toml")).unwrap();
    let wider = manifest.replace("read your notes", "read your mails");
    std::fs::write(connector.join("manifest.toml"), wider).unwrap();
    let base = "/gopher/notes/releases/download";
    servers.publish(format!("{base}/v1.0.0/aileron.tar.gz"), pack(&connector));

    let house = House::new(&servers);
    assert!(house.run_as_person(&["vault", "init"]).status.success());
    let install = ["connector", "install", "github://gopher/notes@1.0.0", "--yes"];
    let output = house.run_as_person(&install);
    assert!(!output.status.success());
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(talk.contains("signature"), "{talk}");
    assert!(!house.path().join("store/connectors/sha256").exists(), "nothing is written");
}

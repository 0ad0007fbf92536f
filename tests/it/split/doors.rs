//! The doors between the roles: strangers who dial, and things that lie where a door should be.

use std::{
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    process::Output,
};

use aileron_contract::{
    Access as _, Audit as _, Context, Executor as _, Kind, Packages as _, Publishers as _, Secret,
    Sessions as _, Vault as _, sessions::Filter,
};
use aileron_node::demo::Servers;
use serde_json::json;
use tempfile::TempDir;

use super::{Split, TOKEN, folder, private};
use crate::house::{House, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_the_same_user_without_the_service_token_gets_no_answer_from_a_role() {
    let servers = Servers::start().await.unwrap();
    let mut split = Split::start(&servers);
    split.program().await;
    let sockets = split.run.path().to_owned();
    // It may claim to be the runtime itself; what it cannot show is the token.
    let claim = Context::service("executor");
    let wrong =
        [&TOKEN[..47], "0123456789abcdef0123456789abcdef0123456789abcdeF", "Bearer000000000000"];
    for token in wrong {
        let channel = |name: &str| {
            let token = Secret::from(token.to_owned());
            aileron_wire::connect(&sockets.join(format!("{name}.sock")), token).unwrap()
        };
        let vault = aileron_wire::vault::Remote::new(channel("vault"));
        let refused = vault.status(&claim).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable, "{refused}");
        assert!(refused.public().contains("service token"), "{refused}");
        let access = aileron_wire::access::Remote::new(channel("vault"));
        assert!(access.sessions(&claim).await.is_err());
        let executor = aileron_wire::executor::Remote::new(channel("executor"));
        assert!(executor.actions(&claim).await.is_err());
        let packages = aileron_wire::packages::Remote::new(channel("executor"));
        assert!(packages.connectors(&claim).await.is_err());
        let publishers = aileron_wire::publishers::Remote::new(channel("executor"));
        assert!(publishers.keyring(&claim).await.is_err());
        let audit = aileron_wire::audit::Remote::new(channel("audit"));
        assert!(audit.checkpoint(&claim).await.is_err());
        let sessions = aileron_wire::sessions::Remote::new(channel("launcher"));
        assert!(sessions.list(&claim, Filter::default()).await.is_err());
    }
    let good = aileron_wire::connect(&sockets.join("vault.sock"), Secret::from(TOKEN.to_owned()));
    aileron_wire::vault::Remote::new(good.unwrap()).status(&claim).await.unwrap();
    assert!(split.house.log().contains("refused a call without the service token"));
}

/// A log that is told to listen at `socket`, and how its start ended.
fn start_at(socket: &Path, folder: &TempDir) -> Output {
    let token = folder.path().join("service.token");
    private(&token, TOKEN);
    let house = bare_house(&token, socket);
    let config = house.path().join("config.yaml");
    let mut command = house.command(["serve", "--roles", "audit", "--config"]);
    command.arg(config);
    // Ends by itself, or it listens where it must not.
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let deadline = std::time::Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if std::time::Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it serves on {}", socket.display());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// Of the other roles only the doors are named; nobody is behind them.
fn bare_house(token: &Path, socket: &Path) -> House {
    let nobody = "/nonexistent/role.sock";
    House::bare(&json!({ "services": {
        "token_file": token, "audit": socket, "vault": nobody, "executor": nobody,
    }}))
}

fn refusal(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    assert!(
        told.contains("cannot listen on the socket") || told.contains("already serves"),
        "{told}"
    );
    told
}

#[test]
fn what_lies_where_a_door_should_be_is_neither_followed_nor_removed() {
    let folder = folder("aileron-door-");
    let at = |name: &str| folder.path().join(name);

    std::fs::write(at("file.sock"), "precious").unwrap();
    refusal(&start_at(&at("file.sock"), &folder));
    assert_eq!(std::fs::read(at("file.sock")).unwrap(), b"precious");

    std::fs::create_dir(at("folder.sock")).unwrap();
    std::fs::write(at("folder.sock/kept"), "precious").unwrap();
    refusal(&start_at(&at("folder.sock"), &folder));
    assert!(at("folder.sock/kept").exists());

    // A link to a file, to nothing, and to a stranger's living socket.
    symlink(at("file.sock"), at("link.sock")).unwrap();
    symlink(at("not-there.sock"), at("dangling.sock")).unwrap();
    let stranger = UnixListener::bind(at("stranger")).unwrap();
    symlink(at("stranger"), at("alias.sock")).unwrap();
    for name in ["link.sock", "dangling.sock", "alias.sock"] {
        refusal(&start_at(&at(name), &folder));
        assert!(at(name).symlink_metadata().unwrap().is_symlink(), "{name}");
    }
    assert!(!at("not-there.sock").exists(), "a dangling link was followed");
    assert_eq!(std::fs::read(at("file.sock")).unwrap(), b"precious");

    // A stranger who listens there already is not pushed aside.
    assert!(refusal(&start_at(&at("stranger"), &folder)).contains("already serves"));
    UnixStream::connect(at("stranger")).unwrap();
    drop(stranger);
}

#[test]
fn a_folder_that_others_may_enter_holds_no_door() {
    for mode in [0o755, 0o750, 0o711, 0o770, 0o701, 0o1777] {
        let folder = folder("aileron-door-");
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(mode)).unwrap();
        let told = refusal(&start_at(&open.join("audit.sock"), &folder));
        assert!(told.contains("others may enter"), "{mode:o}: {told}");
        assert!(!open.join("audit.sock").exists());
    }
}

#[test]
fn a_service_token_that_others_may_read_or_that_is_short_guards_nothing() {
    let folder = folder("aileron-door-");
    for (text, mode, why) in
        [(TOKEN, 0o640, "chmod 600"), (TOKEN, 0o604, "chmod 600"), ("short", 0o600, "32")]
    {
        let token = folder.path().join("service.token");
        private(&token, text);
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(mode)).unwrap();
        let socket = folder.path().join("audit.sock");
        let house = bare_house(&token, &socket);
        let config = house.path().join("config.yaml");
        let config = config.to_str().unwrap();
        let output = house.run(&["serve", "--roles", "audit", "--config", config]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(why), "{told}");
        assert!(!socket.exists());
    }
}

//! The launched program as a process: its environment, its end, and what a killed launch leaves.

use std::path::Path;

use super::*;

/// An agent of the test's own: a script by the name of one.
fn plant(scene: &Scene, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = scene.user.path().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("claude");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn with_path(mut command: Command, folder: &Path) -> Command {
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_exit_code_is_ours_and_signals_reach_it() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "trap 'exit 7' TERM; touch ready; while :; do sleep 0.05; done");
    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let ready = scene.work.path().join("ready");
    until("the agent starts", async || ready.exists().then_some(())).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
    scene.is_over(7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_a_signal_ended_is_told_of_as_a_shell_does() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "kill -9 $$");
    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    assert_eq!(ended(command).await.status.code(), Some(137));
    scene.is_over(137).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_no_variable_of_ours_that_holds_a_secret() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "env; echo \"arguments: $*\"");
    let mut command = with_path(scene.launch(&model, &["--local", "claude", "-p", "x y"]), &folder);
    for (name, value) in [
        ("AILERON_VAULT_PASSPHRASE", crate::house::PASSPHRASE),
        ("AILERON_DATABASE_URL", "postgres://user:password@nowhere/x"),
        ("AILERON_SOMETHING_NEW", "secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=collector"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=collector"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("GH_TOKEN", "the-persons-own"),
    ] {
        command.env(name, value);
    }
    let output = ended(command).await;
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("GH_TOKEN=the-persons-own") && told.contains("AILERON_HOME="), "{told}");
    assert!(told.contains("OTEL_EXPORTER_OTLP_ENDPOINT="), "{told}");
    let forbidden = [crate::house::PASSPHRASE, "AILERON_VAULT", "DATABASE_URL", "SOMETHING_NEW"];
    let further = ["AILERON_TOKEN", "ala_", "ald_", "authorization=collector"];
    for forbidden in forbidden.into_iter().chain(further) {
        assert!(!told.contains(forbidden), "{forbidden}: {told}");
    }
    assert!(
        told.contains("arguments: --allowedTools=Bash(*) mcp__aileron --mcp-config="),
        "{told}"
    );
    scene.is_over(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_launch_is_found_by_the_next_one() {
    let scene = Scene::new().await;
    let model = Model::start(|_| Say::Text(String::new())).await;
    let folder = plant(&scene, "[ -e ready ] && exit 0; touch ready; exec sleep 20");
    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    let mut child = tokio::process::Command::from(command).spawn().unwrap();
    let ready = scene.work.path().join("ready");
    until("the agent starts", async || ready.exists().then_some(())).await;
    child.kill().await.unwrap();
    let sessions =
        scene.home.program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
    let first = &sessions.items[0].id;
    let file = scene.home.house.path().join("sessions").join(first).join("mcp.json");
    let tools: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let token = tools["mcpServers"]["aileron"]["env"]["AILERON_TOKEN"].as_str().unwrap();
    let agent = scene.home.program.with_token(token).unwrap();
    agent.actions().await.unwrap();

    let command = with_path(scene.launch(&model, &["--local", "claude"]), &folder);
    assert!(ended(command).await.status.success());
    assert!(!file.exists());
    assert_eq!(scene.home.program.agent_session(first).await.unwrap().value.state, "orphaned");
    assert_eq!(agent.actions().await.unwrap_err().code(), Some("token_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_launched_that_cannot_be() {
    let servers = Servers::start().await.unwrap();
    let house = House::new(&servers);
    for (arguments, says) in [
        (&["launch"][..], "agents: claude, codex"),
        (&["launch", "--local", "nope"], "unknown agent: \"nope\""),
        (&["launch", "claude"], "the container sandbox is not there yet"),
        (&["launch", "--sandbox", "claude"], "the container sandbox is not there yet"),
        (&["launch", "claude", "--sandbox=docker"], "the container sandbox is not there yet"),
    ] {
        let output = house.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output).contains(says), "{arguments:?}: {}", text(&output));
    }
    let mut command = house.command(["launch", "--local", "claude"]);
    let output = command.env("PATH", "/nonexistent").output().unwrap();
    assert!(text(&output).contains("claude is not installed"), "{}", text(&output));
    assert!(house.discovery().is_none(), "no daemon is started for nothing");
}

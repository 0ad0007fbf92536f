//! What a session says of the folder it works in is text from outside: it hides nothing, wherever a
//! person reads it.

use aileron_api::sessions::{BeginSession, SessionFilter};
use aileron_node::demo::Servers;

use crate::{
    house::{House, create_vault},
    household::Household,
};

/// Moves the cursor, turns the direction of text, hides, and begins a line of its own.
const NASTY: &str = "/tmp/a\u{1b}[2K\rb\u{202e}c\u{200b}d\nID  claude";

#[tokio::test(flavor = "multi_thread")]
async fn a_folders_name_steers_no_terminal_and_no_row_of_a_list() {
    let home = Household::bare(Servers::start().await.unwrap()).await;
    let body = BeginSession { agent: "claude".to_owned(), working_dir: Some(NASTY.to_owned()) };
    let begun = home.program.begin_session(&body).await.unwrap().value;
    let id = begun.session.id;
    // For programs it is what it is.
    let listed = home.program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
    assert_eq!(listed.items[0].working_dir, NASTY);
    let event = home
        .program
        .audit_events(&aileron_api::audit::AuditFilter {
            event_type: Some("session.started".to_owned()),
            ..aileron_api::audit::AuditFilter::default()
        })
        .await
        .unwrap();
    let event = event.value.events[0].audit_id.clone();
    for arguments in [
        vec!["sessions"],
        vec!["sessions", "list"],
        vec!["sessions", "get", &id],
        vec!["sessions", "watch", &id, "--no-follow"],
        vec!["audit", "list"],
        vec!["audit", "show", &event],
    ] {
        let output = home.house.run(&arguments);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && shown.contains("claude"), "{arguments:?}: {shown}");
        assert!(!shown.contains(['\u{1b}', '\r', '\u{202e}', '\u{200b}']), "{arguments:?}");
        assert!(!shown.contains("\nID  claude"), "{arguments:?}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_path_has_is_no_folder() {
    let mut house = House::bare(&serde_json::json!({}));
    let program = house.start().await;
    create_vault(&program).await;
    for folder in ["/tmp/a\0b".to_owned(), format!("/{}", "x".repeat(4_096))] {
        let body = BeginSession { agent: "claude".to_owned(), working_dir: Some(folder) };
        let refused = program.begin_session(&body).await.unwrap_err();
        assert_eq!(refused.code(), Some("invalid_request"), "{refused}");
    }
    let listed = program.agent_sessions(&SessionFilter::default()).await.unwrap().value;
    assert!(listed.items.is_empty());
}

//! The main job: install, bind, list, ask, approve, prove. The same steps wherever the parts run.

use aileron_api::{
    Object, Sensitive,
    actions::{RunAction, RunPending, RunResult},
    approvals::{ApprovalResult, Decide},
    audit::AuditFilter,
    bindings::{BindingSetup, BindingSource, BindingSpec},
    client::{Client, RunOutcome},
    packages::{InstallActionRequest, LookUpKey, ReadSuite, TrustKey},
};
use aileron_node::demo::{OWNER, REPOSITORY, Servers};

use crate::house::{create_vault, person, until};

/// Creates the vault and makes the program ready for use; the person who did it.
pub(crate) async fn moves_in(program: &Client, servers: &Servers) -> Client {
    create_vault(program).await;
    let person = person(program).await;
    install(&person, servers).await;
    person
}

/// Trusts the suite's publisher by the key it publishes.
pub(crate) async fn trusts(person: &Client) {
    let authority = authority();
    let look_up = LookUpKey { authority: authority.clone() };
    let published = person.look_up_key(&look_up).await.unwrap().value.key;
    person.trust_key(&TrustKey { authority, key: published.key }).await.unwrap();
}

/// Trusts the publisher, installs the suite and binds the key.
pub(crate) async fn install(person: &Client, servers: &Servers) {
    trusts(person).await;
    let source = format!("{}/suite.toml@latest", authority());
    let source = ReadSuite { source: Some(source), text: None };
    for member in person.read_suite(&source).await.unwrap().value.actions {
        let request = InstallActionRequest {
            fqn: member.fqn,
            version: member.version,
            auto_install_connectors: true,
            ..InstallActionRequest::default()
        };
        person.install_action(&request).await.unwrap();
    }
    binds(person, &authority(), "notes", &servers.notes_key).await;
}

/// Binds an API key to a connector, for the account `work`.
pub(crate) async fn binds(person: &Client, connector: &str, service: &str, key: &str) {
    let value = Some(Sensitive::new(key.to_owned()));
    let spec = BindingSpec {
        identity: "work".to_owned(),
        service: Some(service.to_owned()),
        source: BindingSource { kind: "api_key".to_owned(), value },
        account: None,
        access_key_id: None,
        region: None,
    };
    let body = BindingSetup {
        connector_fqn: connector.to_owned(),
        bindings: vec![spec],
        skip_existing: false,
        hosts: None,
    };
    assert_eq!(person.set_up_bindings(&body).await.unwrap().value.created.len(), 1);
}

fn authority() -> String {
    format!("github://{OWNER}/{REPOSITORY}")
}

pub(crate) async fn list(program: &Client) -> RunResult {
    match program.run_action("notes-list", &RunAction::default(), None).await.unwrap().value {
        RunOutcome::Done(done) => done,
        RunOutcome::Pending(pending) => panic!("a read waits: {pending:?}"),
    }
}

/// Asks for a note; returns the approval that waits.
pub(crate) async fn ask(program: &Client, title: &str, key: Option<&str>) -> RunPending {
    let args: Object = [("title", title), ("text", "from a test")]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    match program
        .run_action("notes-create", &RunAction { args, ..RunAction::default() }, key)
        .await
        .unwrap()
        .value
    {
        RunOutcome::Pending(pending) => pending,
        RunOutcome::Done(done) => panic!("a write ran by itself: {done:?}"),
    }
}

pub(crate) async fn approve(person: &Client, id: &str) {
    let waiting = person.approvals().await.unwrap().value.items;
    let approval = waiting.into_iter().find(|it| it.id == id).unwrap();
    let body = Decide { approved: true, digest: approval.digest, ..Decide::default() };
    person.decide(id, &body).await.unwrap();
}

/// Waits for the end of a run.
pub(crate) async fn settled(program: &Client, id: &str) -> ApprovalResult {
    until(&format!("{id} ends"), async || {
        let result = program.approval_result(id).await.unwrap().value;
        result.status.is_end().then_some(result)
    })
    .await
}

/// The whole way, on whatever processes hold the house.
pub(crate) async fn goes_all_the_way(program: &Client, servers: &Servers) {
    let person = moves_in(program, servers).await;
    assert!(list(program).await.result.unwrap().contains("Welcome"));

    let pending = ask(program, "Bread", Some("bread-1")).await;
    let again = ask(program, "Bread", Some("bread-1")).await;
    assert_eq!(pending.approval_id, again.approval_id, "a repetition asks once");
    let decision = Decide { approved: true, ..Decide::default() };
    let refused = program.decide(&pending.approval_id, &decision).await.unwrap_err();
    assert_eq!(refused.code(), Some("person_required"));
    assert_eq!(servers.titles(), ["Welcome"]);

    approve(&person, &pending.approval_id).await;
    let result = settled(program, &pending.approval_id).await;
    assert!(result.result.is_some(), "{result:?}");
    assert_eq!(servers.titles(), ["Welcome", "Bread"]);
    let twice = person.decide(&pending.approval_id, &decision).await.unwrap_err();
    assert_eq!(twice.api().unwrap().status, 404, "an approval is used once");

    let denied = ask(program, "Butter", None).await;
    let deny = Decide { reason: Some("not today".to_owned()), ..Decide::default() };
    person.decide(&denied.approval_id, &deny).await.unwrap();
    assert_eq!(settled(program, &denied.approval_id).await.reason.as_deref(), Some("not today"));
    assert_eq!(servers.titles(), ["Welcome", "Bread"]);

    let receipt = program.audit_receipt(&result.audit_id.unwrap()).await.unwrap().value;
    let checkpoint = program.audit_checkpoint().await.unwrap().value;
    let key = checkpoint.verifier_key.parse().unwrap();
    let proven = aileron_receipt::Receipt::parse(&receipt).unwrap().verify(&key).unwrap();
    assert!(String::from_utf8(proven.leaf).unwrap().contains("execution.succeeded"));
    in_order(program).await;
}

/// What must have been recorded, in this order.
async fn in_order(program: &Client) {
    let filter = AuditFilter { limit: Some(1_000), ..AuditFilter::default() };
    let mut events = program.audit_events(&filter).await.unwrap().value.events;
    events.reverse();
    let mut kinds = events.iter().map(|event| event.event_type.as_str());
    for expected in [
        "vault.created",
        "person_session.opened",
        "keyring.trusted",
        "connector.installed",
        "action.installed",
        "binding.created",
        "execution.started",
        "execution.succeeded",
        "approval.requested",
        "approval.refused",
        "approval.approved",
        "execution.started",
        "execution.succeeded",
        "approval.denied",
    ] {
        assert!(kinds.any(|kind| kind == expected), "{expected} is missing in its place");
    }
}

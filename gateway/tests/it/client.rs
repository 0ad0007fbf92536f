use aileron_api::{
    access::{MintToken, OpenPersonSession},
    actions::{PatchAction, RunAction},
    approvals::Decide,
    audit::AuditFilter,
    batch::{self, InstallActionsRequest},
    bindings::BindingFilter,
    client::{Call, Client, Endpoint, Error, RunOutcome},
    packages::{
        InstallActionRequest, InstallConnectorRequest, LookUpKey, ReadSuite, RevokeKeys, TrustKey,
    },
    runs::RunFilter,
    vault::{ChangePassphrase, CreateVault, EntryFilter, PutSecret, UnlockVault, VaultState},
};
use aileron_contract::failure::{Boundary, Class, Failure};

use crate::house::{AGENT, Door, Outcome, PERSON, PROGRAM, record};

#[tokio::test]
async fn a_person_s_day_through_the_typed_client() {
    let door = Door::open().await;
    let person = door.client(PERSON);
    assert_eq!(person.health().await.unwrap().value.status, "ok");
    let status = person.status().await.unwrap();
    assert_eq!(status.value.vault_state, VaultState::Locked);
    assert!(status.raw.starts_with("{\"version\":\"1.2.3\"") && status.request_id.is_some());

    let passphrase = || "good".to_owned().into();
    let unlocked = person.unlock_vault(&UnlockVault { passphrase: passphrase() }).await.unwrap();
    assert_eq!((unlocked.status, unlocked.value.locked), (200, false));
    let again = person.unlock_vault(&UnlockVault { passphrase: passphrase() }).await.unwrap();
    assert_eq!((again.status, again.value.state), (409, VaultState::Unlocked));
    assert_eq!(
        person.create_vault(&CreateVault { passphrase: passphrase() }).await.unwrap().status,
        201
    );
    let change = ChangePassphrase { current: passphrase(), new: passphrase(), rotate: true };
    person.change_passphrase(&change).await.unwrap();
    assert!(person.lock_vault().await.unwrap().value.locked);

    person.put_secret("team/key", &PutSecret { value: "AAH/".to_owned().into() }).await.unwrap();
    assert_eq!(person.secrets().await.unwrap().value.items[0].name, "team/key");
    person.delete_secret("team/key").await.unwrap();
    assert_eq!(person.vault_entries(&EntryFilter::default()).await.unwrap().value.entries.len(), 1);
    let name = "api_key/notes/default";
    assert_eq!(person.binding(name).await.unwrap().value.name, name);
    person.bindings(&BindingFilter::default()).await.unwrap();
    person.revoke_binding(name).await.unwrap();

    let opened =
        person.open_person_session(&OpenPersonSession { passphrase: passphrase() }).await.unwrap();
    assert_eq!(opened.value.token.expose(), "fresh-token");
    assert!(!format!("{opened:?}").contains("fresh-token"));
    let mint = MintToken {
        label: "ci".to_owned(),
        scopes: vec!["actions:run".to_owned()],
        expires_at: "2031-01-01T00:00:00Z".to_owned(),
    };
    assert_eq!(person.mint_token(&mint).await.unwrap().value.scopes, ["actions:run"]);
    person.tokens().await.unwrap();
    person.revoke_token("t1").await.unwrap();
    person.person_sessions().await.unwrap();
    person.close_person_session("p2").await.unwrap();
    person.close_all_person_sessions().await.unwrap();
}

#[tokio::test]
async fn packages_and_keys_through_the_typed_client() {
    let door = Door::open().await;
    let person = door.client(PERSON);
    let connector = InstallConnectorRequest {
        fqn: "github://acme/notes".to_owned(),
        version: "1.0.0".to_owned(),
        expected_hash: None,
    };
    let preview = person.preview_connector(&connector).await.unwrap().value;
    assert_eq!(preview.capabilities.network_hosts, ["a.example:443", "b.example:443"]);
    assert_eq!(person.install_connector(&connector).await.unwrap().status, 201);
    person.connectors().await.unwrap();
    let action = InstallActionRequest {
        fqn: "github://acme/notes/actions/list".to_owned(),
        version: "1.0.0".to_owned(),
        force: false,
        auto_install_connectors: true,
        accept_unsigned: false,
        expected_hash: None,
    };
    assert_eq!(person.preview_action(&action).await.unwrap().value.name, "notes-list");
    assert_eq!(person.install_action(&action).await.unwrap().status, 201);
    let absent =
        InstallActionRequest { fqn: "github://acme/absent/x".to_owned(), ..action.clone() };
    let both = InstallActionsRequest { actions: vec![absent, action] };
    let previews = person.preview_actions(&both).await.unwrap().value.items;
    assert_eq!(previews[0].error.as_ref().unwrap().code, "fetch_failed");
    assert!(previews[0].preview.is_none() && previews[1].error.is_none());
    assert_eq!(previews[1].preview.as_ref().unwrap().name, "notes-list");
    let installed = person.install_actions(&both).await.unwrap().value.items;
    assert!(installed[0].installed.is_none() && installed[0].error.is_some());
    assert_eq!(installed[1].installed.as_ref().unwrap().name, "notes-list");
    assert_eq!(batch::MOST, aileron_contract::limits::INSTALL_BATCH, "clients know the bound");
    let agent = door.client(AGENT);
    assert_eq!(agent.install_actions(&both).await.unwrap_err().code(), Some("scope_missing"));
    let suite = ReadSuite { text: Some(String::new()), source: None };
    assert_eq!(person.read_suite(&suite).await.unwrap().value.actions.len(), 1);

    let authority = "github://acme".to_owned();
    let published =
        person.look_up_key(&LookUpKey { authority: authority.clone() }).await.unwrap().value;
    assert!(published.key.digest.starts_with("sha256:") && published.key.digest.len() == 71);
    let trust = TrustKey { authority: authority.clone(), key: published.key.key };
    assert_eq!(person.trust_key(&trust).await.unwrap().status, 201);
    person.keyring().await.unwrap();
    let which = RevokeKeys { authority: Some(authority), fingerprint: None };
    assert!(person.revoke_keys(&which).await.unwrap().value.removed.is_empty());
}

#[tokio::test]
async fn actions_approvals_and_the_log_through_the_typed_client() {
    let door = Door::open().await;
    let agent = door.client(AGENT);
    assert_eq!(agent.actions().await.unwrap().value.items.len(), 1);
    assert_eq!(agent.action("notes-list").await.unwrap().value.matches.intent, "List notes");
    let run = agent.run_action("notes-list", &RunAction::default(), Some("k")).await.unwrap();
    assert!(matches!(run.value, RunOutcome::Done(_)));
    door.world.answer(Outcome::Pending);
    let run = agent.run_action("notes-list", &RunAction::default(), None).await.unwrap();
    assert!(matches!(run.value, RunOutcome::Pending(_)) && run.status == 202);
    agent.approvals().await.unwrap();
    assert!(agent.approval_result("act-1").await.unwrap().value.status.is_end());

    let person = door.client(PERSON);
    assert!(
        !person
            .patch_action("notes-list", &PatchAction { enabled: Some(false) })
            .await
            .unwrap()
            .value
            .enabled
    );
    person.decide("act-1", &Decide { approved: true, ..Decide::default() }).await.unwrap();
    person.runs(&RunFilter { limit: Some(3), ..RunFilter::default() }).await.unwrap();
    person.run("act-1").await.unwrap();

    *door.world.log.lock().unwrap() = (0..3).map(record).collect();
    let filter = AuditFilter { limit: Some(2), ..AuditFilter::default() };
    let events = person.audit_events(&filter).await.unwrap().value.events;
    assert_eq!(events.iter().map(|event| event.index).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(person.audit_event("audit-1").await.unwrap().value.index, 1);
    assert_eq!(person.audit_checkpoint().await.unwrap().value.size, 3);
    assert_eq!(person.audit_receipt("audit-1").await.unwrap().value, "receipt of audit-1\n");
    assert!(!person.limits().await.unwrap().value.items.is_empty());
}

#[tokio::test]
async fn a_refusal_is_told_with_code_request_id_and_failure() {
    let door = Door::open().await;
    let error = door.client(PROGRAM).lock_vault().await.unwrap_err();
    let api = error.api().unwrap();
    assert_eq!((api.status, api.code.as_str()), (403, "scope_missing"));
    assert_eq!(api.request_id.as_deref().map(str::len), Some(16));

    let failure = Failure::new(Class::NetworkError, Boundary::External, "no route").retriable(true);
    door.world.answer(Outcome::Failed(failure));
    let error = door.client(AGENT).run_action("notes-list", &RunAction::default(), None).await;
    let error = error.unwrap_err();
    let failure = error.api().unwrap().failure.as_ref().unwrap();
    assert!(failure.retriable && error.code() == Some("network_error"));
}

#[tokio::test]
async fn nobody_there_is_told_apart_from_a_refusal() {
    let endpoint = Endpoint { base_url: "http://127.0.0.1:1/v1".to_owned(), ..Endpoint::default() };
    let error = Client::new(endpoint).unwrap().health().await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
}

#[tokio::test]
async fn a_name_cannot_climb_to_another_resource() {
    let door = Door::open().await;
    let person = door.client(PERSON);
    for name in ["..", ".", ""] {
        let error = person.close_person_session(name).await.unwrap_err();
        assert!(matches!(error, Error::Argument(_)), "{name}: {error:?}");
    }
    assert!(door.world.called("close_sessions").is_empty());
    let raw = Call::new(http::Method::GET, &["nowhere"]);
    assert_eq!(person.raw(raw).await.unwrap_err().code(), Some("not_found"));
}

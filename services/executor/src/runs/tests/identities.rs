//! Calls in the name of one account among several.

use std::sync::Arc;

use aileron_contract::{
    Context, Reason,
    bindings::{Binding, BindingStatus},
    executor::{Call, RunFilter, RunState},
    failure::{Class, Failure},
    names::{BindingName, Sha256Hash},
};
use bytes::Bytes;
use serde_json::json;

use super::house::{House, agent, approve, binding, call, done, ended, failed, pending, person};
use crate::{formats::manifest, packages::store::Loaded, runs::Engine};

fn named(action: &str, identity: &str) -> Call {
    Call { identity: Some(identity.parse().unwrap()), ..call(action, json!({})) }
}

fn bound(house: &House, bindings: &[Binding]) {
    *house.vault.bindings.listed.lock().unwrap() = bindings.to_vec();
}

fn of_another(identity: &str) -> Binding {
    Binding {
        name: format!("api_key/mail/{identity}").parse().unwrap(),
        connector: "github://acme/mail".parse().unwrap(),
        service: "mail".to_owned(),
        ..binding(identity)
    }
}

/// The bindings egress was told to use, in order; none where it was to choose.
fn told(house: &House) -> Vec<Option<BindingName>> {
    let acted = house.egress.acted.lock().unwrap();
    acted.iter().map(|request| request.credential.clone().unwrap().binding).collect()
}

fn name(raw: &str) -> Option<BindingName> {
    raw.parse().ok()
}

/// Why a call in this name is refused, before anything is sent or waits.
async fn refused(house: &House, engine: &Arc<Engine>, identity: &str) -> Failure {
    let mut failure = None;
    for action in ["list", "gated"] {
        let refused = failed(engine.run(&agent(), named(action, identity)).await.unwrap());
        assert_eq!(refused.class, Class::BindingRequired, "{action}");
        assert!(refused.audit_id.is_some(), "a refusal is recorded");
        failure = Some(refused);
    }
    assert!(told(house).is_empty());
    assert!(engine.approvals(&person()).await.unwrap().is_empty());
    assert!(engine.runs(&person(), RunFilter::default()).await.unwrap().is_empty());
    failure.unwrap()
}

#[tokio::test]
async fn the_binding_of_the_identity_is_used_recorded_and_shown() {
    let house = House::new();
    bound(&house, &[binding("default"), binding("home"), binding("work")]);
    let engine = house.open().await;
    let result = done(engine.run(&agent(), named("list", "work")).await.unwrap());
    assert_eq!(result.binding, name("api_key/notes/work"));
    assert_eq!(told(&house), [name("api_key/notes/work")]);
    let run = engine.run_by_id(&person(), &result.run).await.unwrap();
    assert_eq!(run.identity, "work".parse().ok());
    for record in house.audit.records.lock().unwrap().iter() {
        assert_eq!(record.payload["aileron.binding.identity"], "work");
    }
    // Without one nobody looks: egress chooses when a request leaves.
    let result = done(engine.run(&agent(), call("list", json!({}))).await.unwrap());
    assert_eq!(told(&house)[1], None);
    let run = engine.run_by_id(&person(), &result.run).await.unwrap();
    assert_eq!(run.identity, None);
}

#[tokio::test]
async fn an_identity_of_another_connector_is_nobodys_here() {
    let house = House::new();
    bound(&house, &[binding("home"), binding("work"), of_another("boss")]);
    let engine = house.open().await;
    let failure = refused(&house, &engine, "boss").await;
    let details = failure.details.unwrap();
    let candidates = ["api_key/notes/home", "api_key/notes/work"];
    assert_eq!(details["candidates"], json!(candidates));
    assert_eq!(details["identity"], "boss");
    for word in [candidates[0], candidates[1], "boss", "binding setup github://acme/notes"] {
        assert!(failure.message.contains(word), "{}", failure.message);
    }
    assert!(!failure.message.contains("mail"), "{}", failure.message);
}

#[tokio::test]
async fn an_identity_nobody_has_says_how_to_bind_it() {
    let house = House::new();
    bound(&house, &[]);
    let engine = house.open().await;
    let failure = refused(&house, &engine, "work").await;
    let way = "aileron binding setup github://acme/notes --identity work";
    assert!(failure.message.contains(way), "{}", failure.message);
    let details = failure.details.unwrap();
    assert_eq!(details["candidates"], json!([]));
    assert_eq!(details["connector"], "github://acme/notes");
}

#[tokio::test]
async fn a_call_that_takes_no_credential_takes_no_identity() {
    let house = House::new();
    let text = "[connector]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\npublisher = \
                \"acme\"\n[capabilities.network]\nhosts = [\"notes.example:443\"]\n";
    install(&house, text, b"the connector");
    let engine = house.open().await;
    let failure = refused(&house, &engine, "work").await;
    assert!(failure.message.contains("without an identity"), "{}", failure.message);
}

#[tokio::test]
async fn several_bindings_of_one_identity_are_named_unless_one_was_chosen() {
    let house = House::new();
    let second = Binding {
        name: "api_key/second/work".parse().unwrap(),
        service: "second".to_owned(),
        ..binding("work")
    };
    bound(&house, &[binding("default"), binding("work"), second.clone()]);
    let engine = house.open().await;
    let failure = refused(&house, &engine, "work").await;
    let candidates = ["api_key/notes/work", "api_key/second/work"];
    assert_eq!(failure.details.unwrap()["candidates"], json!(candidates));
    assert!(failure.message.contains("aileron binding default"), "{}", failure.message);
    let second = Binding { default: true, ..second };
    bound(&house, &[binding("default"), binding("work"), second]);
    done(engine.run(&agent(), named("list", "work")).await.unwrap());
    assert_eq!(told(&house), [name("api_key/second/work")]);
}

#[tokio::test]
async fn a_stale_binding_is_named_to_egress_and_no_other_taken_for_it() {
    let house = House::new();
    let stale = Binding { status: BindingStatus::Stale, ..binding("work") };
    bound(&house, &[binding("default"), stale]);
    let engine = house.open().await;
    done(engine.run(&agent(), named("list", "work")).await.unwrap());
    assert_eq!(told(&house), [name("api_key/notes/work")]);
    // The same for one a person chose, where a person approves.
    let chosen = Binding { status: BindingStatus::Stale, default: true, ..binding("work") };
    bound(&house, &[binding("default"), chosen]);
    let waiting = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
    ended(&engine, &waiting).await;
    assert_eq!(told(&house)[1], name("api_key/notes/work"));
}

#[tokio::test]
async fn an_approval_shows_and_covers_the_identity() {
    let house = House::new();
    bound(&house, &[binding("default"), binding("work")]);
    let engine = house.open().await;
    let plain = pending(engine.run(&agent(), call("gated", json!({}))).await.unwrap()).id;
    let waiting = pending(engine.run(&agent(), named("gated", "default")).await.unwrap()).id;
    let cards = engine.approvals(&person()).await.unwrap();
    let shown: Vec<_> = cards.iter().map(|card| (&card.id, card.identity.clone())).collect();
    assert_eq!(shown, [(&plain, None), (&waiting, "default".parse().ok())]);
    for id in [plain, waiting] {
        engine.decide(&person(), id.clone(), approve()).await.unwrap();
        assert_eq!(ended(&engine, &id).await.state, RunState::Done);
    }
    let default = name("api_key/notes/default");
    assert_eq!(told(&house), [default.clone(), default]);
}

#[tokio::test]
async fn what_was_approved_is_used_or_nothing_when_the_choice_changes_before_it_runs() {
    let chosen = |identity: &str| Binding { default: true, ..binding(identity) };
    let gone = || vec![binding("default"), binding("home")];
    let rebound = || {
        let hosts = Some(vec!["elsewhere.example:443".parse().unwrap()]);
        vec![binding("home"), Binding { hosts, ..binding("work") }]
    };
    for (identity, after, runs) in [
        // Nothing was said, so the choice counts, and another choice is another credential.
        (None, vec![chosen("home"), binding("work")], false),
        (None, vec![binding("home"), binding("work")], false),
        (None, vec![binding("home"), chosen("work")], true),
        // The identity was said: choosing another default changes nothing about it.
        (Some("work"), vec![chosen("home"), binding("work")], true),
        (Some("work"), gone(), false),
        (Some("work"), rebound(), false),
    ] {
        let house = House::new();
        bound(&house, &[binding("home"), chosen("work")]);
        let engine = house.open().await;
        let call = match identity {
            Some(identity) => named("gated", identity),
            None => call("gated", json!({})),
        };
        let waiting = pending(engine.run(&agent(), call).await.unwrap()).id;
        bound(&house, &after);
        engine.decide(&person(), waiting.clone(), approve()).await.unwrap();
        let run = ended(&engine, &waiting).await;
        if runs {
            assert_eq!(run.state, RunState::Done, "{identity:?} {after:?}");
            assert_eq!(told(&house), [name("api_key/notes/work")]);
        } else {
            let failure = run.failure.unwrap();
            assert_eq!(failure.class, Class::HashMismatch, "{identity:?} {after:?}");
            assert_eq!(failure.details.unwrap()["changed"], "binding");
            assert!(told(&house).is_empty());
        }
    }
}

#[tokio::test]
async fn another_identity_under_the_same_key_is_another_call() {
    let house = House::new();
    bound(&house, &[binding("home"), binding("work")]);
    let engine = house.open().await;
    let key = Context { idempotency_key: Some("k".parse().unwrap()), ..agent() };
    let first = engine.run(&key, named("create", "work")).await.unwrap();
    assert_eq!(engine.run(&key, named("create", "work")).await.unwrap(), first);
    for other in [named("create", "home"), call("create", json!({}))] {
        let refused = engine.run(&key, other).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::IdempotencyConflict);
    }
    assert_eq!(house.egress.writes(), 1);
}

#[tokio::test]
async fn each_connector_of_an_action_uses_its_own_binding_of_the_identity() {
    let house = House::new();
    let mail = Sha256Hash::of(&[b"mail"]);
    let manifest = "[connector]\nname = \"github://acme/mail\"\nversion = \"1.0.0\"\npublisher = \
                    \"acme\"\n[capabilities.network]\nhosts = [\"notes.example:443\"]\n\
                    [capabilities.credential]\nkind = \"api_key\"\nscope = \"mail\"\n";
    install(&house, manifest, b"mail");
    house.action_file(&format!(
        "+++\nname = \"both\"\nversion = \"1.0.0\"\nsource = \
         \"github://acme/notes/actions/both@1.0.0\"\n[match]\nintent = \"i\"\n\
         [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\nhash = \
         \"{}\"\ncapabilities = [\"list\"]\n[[requires.connectors]]\nname = \
         \"github://acme/mail\"\nversion = \"1.0.0\"\nhash = \"{mail}\"\ncapabilities = \
         [\"list\"]\n[[execute]]\nid = \"one\"\nconnector = \"github://acme/notes\"\nop = \
         \"list\"\n[[execute]]\nid = \"two\"\nconnector = \"github://acme/mail\"\nop = \
         \"list\"\n+++\nbody\n",
        Sha256Hash::of(&[b"the connector"])
    ));
    let both = [binding("home"), binding("work"), of_another("home"), of_another("only")];
    bound(&house, &both);
    let engine = house.open().await;
    done(engine.run(&agent(), named("both", "home")).await.unwrap());
    assert_eq!(told(&house), [name("api_key/notes/home"), name("api_key/mail/home")]);
    // One that has no binding of it uses what it would use without.
    bound(&house, &[binding("home"), binding("work"), of_another("only")]);
    done(engine.run(&agent(), named("both", "work")).await.unwrap());
    assert_eq!(told(&house)[2..], [name("api_key/notes/work"), name("api_key/mail/only")]);
    let nobody = failed(engine.run(&agent(), named("both", "boss")).await.unwrap());
    let all = json!(["api_key/notes/home", "api_key/notes/work", "api_key/mail/only"]);
    assert_eq!(nobody.details.unwrap()["candidates"], all);
}

#[tokio::test]
async fn egress_is_told_what_may_be_repeated() {
    let house = House::new();
    house.action("sure", &[("create", "idempotent = true")], false);
    house.action("unsure", &[("list", "idempotent = false")], false);
    let engine = house.open().await;
    for action in ["list", "create", "sure", "unsure"] {
        done(engine.run(&agent(), call(action, json!({}))).await.unwrap());
    }
    house.connector("[connector.idempotency]\ndefault = \"idempotent\"\n");
    for action in ["create", "unsure"] {
        done(engine.run(&agent(), call(action, json!({}))).await.unwrap());
    }
    let acted = house.egress.acted.lock().unwrap();
    let declared: Vec<_> = acted.iter().map(|request| request.idempotent).collect();
    assert_eq!(declared, [false, false, true, false, true, false]);
}

/// A connector whose bytes have the hash of `content`.
fn install(house: &House, manifest: &str, content: &[u8]) {
    let manifest = manifest::parse(manifest.as_bytes(), "m").unwrap();
    let hash = Sha256Hash::of(&[content]);
    let package = manifest.package.clone();
    let loaded = Loaded { hash, package, manifest, wasm: Bytes::new() };
    house.library.connectors.lock().unwrap().insert(hash, Arc::new(loaded));
}

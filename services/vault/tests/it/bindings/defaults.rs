//! Which of several bindings is used, who says so, and who cannot.

use aileron_contract::{
    Reason,
    bindings::{Binding, BindingFilter},
    custody::Import,
    failure::Class,
    names::BindingName,
};
use serde_json::{Value, json};

use super::{NOTES, bind, failure};
use crate::{
    file::PUBLISHED,
    house::{House, assert_refused, consent, daemon, secret, service},
};

fn name(raw: &str) -> BindingName {
    raw.parse().unwrap()
}

async fn choose(house: &House, raw: &str) -> aileron_contract::Result<Binding> {
    house.service.bindings().set_default(&service(), name(raw)).await
}

/// The identities of all bindings that are marked.
async fn marked(house: &House) -> Vec<String> {
    let all = house.service.bindings().list(&daemon(), BindingFilter::default()).await.unwrap();
    let marked = all.into_iter().filter(|binding| binding.default);
    marked.map(|binding| binding.name.to_string()).collect()
}

/// The binding whose credential a request without a wish was given, or the class of its refusal.
async fn used(house: &House) -> Result<String, Class> {
    house.log.take();
    let class = failure(house, None).await.class;
    let told = house.log.shown();
    let Some((_, rest)) = told.split_once("aileron.binding.name\": String(\"") else {
        return Err(class);
    };
    Ok(rest.split('"').next().unwrap().to_owned())
}

/// Edits the file the way another program would.
fn edit(house: &House, change: impl FnOnce(&mut Value)) {
    let mut file: Value = serde_json::from_slice(&house.bytes()).unwrap();
    change(&mut file);
    house.plant(&serde_json::to_vec(&file).unwrap());
}

fn labels<'f>(file: &'f mut Value, binding: &str) -> &'f mut serde_json::Map<String, Value> {
    file["secrets"][binding]["metadata"]["Labels"].as_object_mut().unwrap()
}

#[tokio::test]
async fn a_person_chooses_one_of_several_and_an_earlier_choice_ends() {
    let house = House::with_vault().await;
    for identity in ["home", "work", "default"] {
        bind(&house, identity).await;
    }
    assert_eq!(used(&house).await, Ok("api_key/notes/default".to_owned()));
    house.log.take();
    let chosen = choose(&house, "api_key/notes/home").await.unwrap();
    assert!(chosen.default);
    assert_eq!(house.log.take(), ["binding.default_chosen"]);
    assert_eq!(used(&house).await, Ok("api_key/notes/home".to_owned()));
    choose(&house, "api_key/notes/work").await.unwrap();
    assert!(house.log.shown().contains("api_key/notes/home"), "the earlier choice is told");
    assert_eq!(marked(&house).await, ["api_key/notes/work"]);
    assert_eq!(used(&house).await, Ok("api_key/notes/work".to_owned()));

    // Once more changes nothing, and writes nothing.
    let before = house.bytes();
    house.log.take();
    choose(&house, "api_key/notes/work").await.unwrap();
    assert_eq!((house.bytes(), house.log.take()), (before, Vec::new()));

    // It outlives a fresh credential and a restart, and ends with its binding.
    bind(&house, "work").await;
    let house = house.restarted().await;
    assert_eq!(marked(&house).await, ["api_key/notes/work"], "also while locked");
    house.unlock().await;
    assert_eq!(used(&house).await, Ok("api_key/notes/work".to_owned()));
    house.service.bindings().revoke(&service(), name("api_key/notes/work")).await.unwrap();
    bind(&house, "work").await;
    assert_eq!(used(&house).await, Ok("api_key/notes/default".to_owned()));
}

#[tokio::test]
async fn each_connector_has_a_choice_of_its_own() {
    let house = House::with_vault().await;
    bind(&house, "home").await;
    bind(&house, "work").await;
    let other = aileron_contract::bindings::Consent {
        service: "other".to_owned(),
        ..consent("github://acme/other", "home", &[])
    };
    house.service.bindings().bind(&service(), other, secret("k")).await.unwrap();
    choose(&house, "api_key/other/home").await.unwrap();
    assert_eq!(used(&house).await, Err(Class::BindingRequired));
    choose(&house, "api_key/notes/work").await.unwrap();
    assert_eq!(marked(&house).await, ["api_key/notes/work", "api_key/other/home"]);
}

#[tokio::test]
async fn a_choice_is_a_persons_and_of_a_binding_there_is() {
    let house = House::with_vault().await;
    bind(&house, "work").await;
    let bindings = house.service.bindings();
    let work = || name("api_key/notes/work");
    assert_refused(bindings.set_default(&daemon(), work()).await, Reason::ScopeMissing);
    assert_refused(choose(&house, "api_key/notes/no").await, Reason::BindingNotFound);
    assert_eq!(marked(&house).await, [""; 0]);
    house.service.vault().lock(&service()).await.unwrap();
    assert_refused(choose(&house, "api_key/notes/work").await, Reason::VaultLocked);
    house.unlock().await;
    let person = house.person().await;
    assert!(bindings.set_default(&person, work()).await.unwrap().default);
}

#[tokio::test]
async fn a_choice_edited_into_the_file_is_not_believed() {
    let house = House::with_vault().await;
    bind(&house, "home").await;
    bind(&house, "work").await;
    choose(&house, "api_key/notes/home").await.unwrap();
    let good = house.bytes();
    let edits: [fn(&mut Value); 3] = [
        |file| drop(labels(file, "api_key/notes/home").remove("default")),
        |file| drop(labels(file, "api_key/notes/work").insert("default".into(), json!("true"))),
        |file| {
            drop(labels(file, "api_key/notes/home").remove("default"));
            labels(file, "api_key/notes/work").insert("default".into(), json!("true"));
        },
    ];
    for change in edits {
        edit(&house, change);
        house.log.take();
        let refused = failure(&house, None).await;
        assert_eq!(refused.details.unwrap()["reason"], "vault_unreadable");
        assert!(house.log.take().is_empty(), "nothing was joined to anything");
        // Nor after a lock: the whole file is checked before anything in it counts.
        house.service.vault().lock(&service()).await.unwrap();
        let opened = house.service.vault().unlock(&daemon(), secret("open sesame")).await;
        assert_refused(opened, Reason::VaultUnreadable);
        house.plant(&good);
        house.unlock().await;
        assert_eq!(used(&house).await, Ok("api_key/notes/home".to_owned()));
    }
}

#[tokio::test]
async fn a_choice_written_into_a_version_1_file_is_not_believed_and_not_sealed() {
    let mut file: Value = serde_json::from_str(PUBLISHED).unwrap();
    let mut second = file["secrets"]["api_key/linear/team"].clone();
    second["metadata"]["Labels"]["identity"] = json!("evil");
    second["metadata"]["Labels"]["default"] = json!("true");
    file["secrets"]["api_key/linear/evil"] = second;
    // A label of that name on something else is somebody's own.
    file["secrets"]["secret/x"] = file["secrets"]["api_key/linear/team"].clone();
    file["secrets"]["secret/x"]["metadata"]["Labels"] = json!({ "default": "blue" });
    let house = House::new().await;
    house.plant(&serde_json::to_vec(&file).unwrap());
    assert_eq!(marked(&house).await, [""; 0]);
    let vault = house.service.vault();
    vault.unlock(&daemon(), secret("correct horse battery staple")).await.unwrap();
    assert_eq!(marked(&house).await, [""; 0]);
    choose(&house, "api_key/linear/team").await.unwrap();
    assert_eq!(house.log.take().last(), Some(&"binding.default_chosen"));
    assert_eq!(vault.status(&daemon()).await.unwrap().format, Some(2));
    assert_eq!(marked(&house).await, ["api_key/linear/team"]);
    let written: Value = serde_json::from_slice(&house.bytes()).unwrap();
    assert_eq!(written["secrets"]["secret/x"]["metadata"]["Labels"]["default"], "blue");
    let labels = &written["secrets"]["api_key/linear/team"]["metadata"]["Labels"];
    for (label, value) in [("identity", "team"), ("status", "active"), ("created_at", "1700000000")]
    {
        assert_eq!(labels[label], value, "published labels stay");
    }
}

#[tokio::test]
async fn two_choices_put_together_by_an_import_are_none_until_a_person_chooses() {
    let old = House::with_vault().await;
    bind(&old, "home").await;
    choose(&old, "api_key/notes/home").await.unwrap();
    let file = old.service.custody().export(&service(), secret("own sesame")).await.unwrap().file;
    let house = House::with_vault().await;
    bind(&house, "work").await;
    bind(&house, "default").await;
    choose(&house, "api_key/notes/work").await.unwrap();
    let import = Import { file, passphrase: secret("own sesame"), replace: false };
    house.service.custody().import(&service(), import).await.unwrap();
    assert_eq!(marked(&house).await, ["api_key/notes/home", "api_key/notes/work"]);
    assert_eq!(used(&house).await, Err(Class::BindingRequired));
    choose(&house, "api_key/notes/work").await.unwrap();
    assert_eq!(used(&house).await, Ok("api_key/notes/work".to_owned()));
}

#[tokio::test]
async fn a_chosen_binding_that_went_stale_is_refused_and_no_other_taken_for_it() {
    let house = House::with_vault().await;
    bind(&house, "work").await;
    choose(&house, "api_key/notes/work").await.unwrap();
    let declared = crate::house::hosts_of(&["notes.invalid:443", "more.invalid:443"]);
    house
        .service
        .bindings()
        .declare_hosts(&service(), NOTES.parse().unwrap(), declared)
        .await
        .unwrap();
    bind(&house, "default").await;
    let refused = failure(&house, None).await;
    assert_eq!(refused.class, Class::BindingFailed);
    assert_eq!(refused.details.unwrap()["binding"], "api_key/notes/work");
}

#[tokio::test]
async fn several_without_a_choice_are_named_with_the_ways_out() {
    let house = House::with_vault().await;
    bind(&house, "home").await;
    bind(&house, "work").await;
    let unclear = failure(&house, None).await;
    assert_eq!(unclear.class, Class::BindingRequired);
    let candidates = ["api_key/notes/home", "api_key/notes/work"];
    assert_eq!(unclear.details.unwrap()["candidates"], json!(candidates));
    for told in [candidates[0], candidates[1], "--identity", "aileron binding default"] {
        assert!(unclear.message.contains(told), "{}", unclear.message);
    }
}

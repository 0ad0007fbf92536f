//! Which calls a grant covers: those whose arguments are what was agreed to, to the letter.

use aileron_contract::{
    executor::{Call, GrantRequest, GrantRule, Started},
    names::Sha256Hash,
};
use serde_json::{Value, json};

use super::{agent, exactly, granted, parks, request};
use crate::runs::tests::house::{House, call, done};

#[tokio::test]
async fn a_call_that_is_one_step_off_waits() {
    let house = House::new();
    house.action_file(&numbers());
    let engine = house.open().await;
    let asked = GrantRequest {
        action: "numbers".parse().unwrap(),
        arguments: vec![
            ("title".to_owned(), exactly("x")),
            ("count".to_owned(), GrantRule::Exactly(json!(1))),
            ("note".to_owned(), GrantRule::LeftOut),
        ],
        ..request(GrantRule::Any, 3)
    };
    granted(&engine, asked).await;
    for arguments in [
        json!({"title": "y", "count": 1}),
        json!({"title": "X", "count": 1}),
        json!({"title": "x", "count": 2}),
        json!({"title": "x", "count": 1.5}),
        json!({"title": "x"}),
        json!({"title": "x", "count": 1, "note": ""}),
    ] {
        parks(&engine, &agent("s1"), call("numbers", arguments)).await;
    }
    // Not what the action takes at all.
    for arguments in
        [json!({"title": "x", "count": "1"}), json!({"title": "x", "count": 1, "extra": 1})]
    {
        let started = engine.run(&agent("s1"), call("numbers", arguments)).await.unwrap();
        assert!(matches!(started, Started::Failed(_)), "{started:?}");
    }
    let named = Call {
        identity: Some("me".parse().unwrap()),
        ..call("numbers", json!({"title": "x", "count": 1}))
    };
    parks(&engine, &agent("s1"), named).await;
    assert_eq!(house.egress.writes(), 0);

    // 1.0 is the number 1, and the service gets the 1 that the person saw.
    let spelled = call("numbers", json!({"title": "x", "count": 1.0}));
    done(engine.run(&agent("s1"), spelled).await.unwrap());
    let sent = house.egress.acted.lock().unwrap()[0].body.clone();
    assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap()["count"].to_string(), "1");
}

fn numbers() -> String {
    let hash = Sha256Hash::of(&[b"the connector"]);
    let input = |name: &str, kind: &str| {
        format!(
            "[[inputs]]\nname = \"{name}\"\ntype = \"{kind}\"\nrequired = false\ndescription = \"d\"\n"
        )
    };
    format!(
        "+++\nname = \"numbers\"\nversion = \"1.0.0\"\nsource = \
         \"github://acme/notes/actions/numbers@1.0.0\"\n[match]\nintent = \"i\"\n\
         [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\nhash = \
         \"{hash}\"\ncapabilities = [\"create\"]\n{}{}{}[[execute]]\nid = \"s0\"\nconnector = \
         \"github://acme/notes\"\nop = \"create\"\n[approval]\nrequired = true\n+++\nbody\n",
        input("title", "string"),
        input("count", "number"),
        input("note", "string"),
    )
}

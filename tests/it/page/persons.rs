//! What people do beside one another, on the page: they let calls run in advance, and two decide
//! about the same call.

use aileron_api::approvals::ApprovalStatus;
use serde_json::json;

use crate::{
    house::{PASSPHRASE, program},
    household::{Household, begins},
    main_job::{ask, settled},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_grant_comes_counts_and_is_revoked_on_an_open_page() {
    let home = Household::new().await;
    let (session, agent) = begins(&home.program, "claude").await;
    let facts = json!({
        "session": session, "agent": agent, "program": program(), "environment": {
            "AILERON_HOME": home.house.path(), "AILERON_VAULT_PASSPHRASE": PASSPHRASE,
        },
    });
    let said = home.plays("granted", facts).await;
    let grants = home.program.grants().await.unwrap().value.items;
    let [grant] = grants.as_slice() else { panic!("{grants:?}") };
    assert_eq!(
        (grant.id.as_str(), grant.state.as_str()),
        (said["grant"].as_str().unwrap(), "revoked")
    );
    assert_eq!(grant.used, 1);
    assert_eq!(home.servers.titles(), ["Welcome", "Rent"]);
    // Two calls wait: one that was never granted, and one that is not any more.
    assert_eq!(home.person.approvals().await.unwrap().value.items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_who_decide_about_one_call_the_second_is_told_what_the_first_said() {
    let home = Household::new().await;
    let denied = ask(&home.program, "Yacht", None).await.approval_id;
    let raced = ask(&home.program, "Plane", None).await.approval_id;
    let said = home.plays("two", json!({ "denied": denied, "raced": raced })).await;
    for (id, reason) in [(denied, "not this month"), (raced, said["winner"].as_str().unwrap())] {
        let told = settled(&home.program, &id).await;
        assert_eq!((told.status, told.reason.as_deref()), (ApprovalStatus::Denied, Some(reason)));
    }
    assert_eq!(home.servers.titles(), ["Welcome"]);
}

//! Somebody tries to get into the page with codes, again and again.

use aileron_contract::limits;

use super::{name_of, send};
use crate::house::{AGENT, Door};

/// The log's lines of refused sign-ins: who, why, and how many more.
fn refused(door: &Door) -> Vec<(String, String, Option<u64>)> {
    let log = door.world.log.lock().unwrap();
    let refused = log.iter().filter(|line| line.kind == "person_session.refused");
    let told = refused.map(|line| {
        let why = line.payload.get("aileron.page_code.refused").and_then(|why| why.as_str());
        let more = line.payload.get("aileron.refusals.more").and_then(serde_json::Value::as_u64);
        (line.actor.id.clone(), why.unwrap_or_default().to_owned(), more)
    });
    told.collect()
}

#[tokio::test]
async fn who_is_refused_codes_or_tries_wrong_ones_fills_no_log_and_is_counted() {
    let door = Door::open().await;
    let host = name_of(&door).await;
    let told = usize::try_from(limits::REFUSALS_TOLD).unwrap();
    for _ in 0..told + 3 {
        let reply = door.ask("POST /v1/page-codes", AGENT, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "person_required"));
    }
    let asked = refused(&door);
    assert_eq!(asked.len(), told);
    assert!(asked.iter().all(|(_, why, _)| why == "asked for by no person"), "{asked:?}");
    for number in 0..told + 5 {
        let file = "Origin: null\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
        let form = format!("code=guess{number}&to=%2F");
        assert_eq!(send(&door, "POST /sign-in/code", &host, file, &form).await.status, 401);
    }
    let both = refused(&door);
    assert_eq!(both.len(), told * 2);
    let guessed = ("gateway".to_owned(), "unknown or too late".to_owned(), None);
    assert!(both[told..].iter().all(|line| *line == guessed), "{both:?}");
    // What was counted is told when the gateway stops.
    door.options.shutdown.cancel();
    door.options.tasks.close();
    door.options.tasks.wait().await;
    let mut more: Vec<_> =
        refused(&door).into_iter().filter_map(|(who, _, more)| Some((more?, who))).collect();
    more.sort_unstable();
    let agent = asked[0].0.clone();
    assert_eq!(more, [(3, agent), (5, "gateway".to_owned())]);
}

use aileron_contract::{
    names::{Authority, Fqn},
    publishers::{Handle, HubKind, HubQuery},
};

use super::{on_every_transport, promise};
use crate::{
    fakes::FakePublishers,
    samples::{context, name, publishers as samples},
};

on_every_transport!(publishers);

async fn keeps_its_promises(publishers: Handle, fake: &FakePublishers) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        keys(&publishers, fake, full).await;
        hub(&publishers, fake, full).await;
    }
}

async fn keys(publishers: &Handle, fake: &FakePublishers, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    promise!(stage, "keyring", &context, publishers.keyring(&context) => samples::keyring(full));
    let authority = name::<Authority>("local://me");
    promise!(stage, "published_key", (&context, &authority),
        publishers.published_key(&context, authority.clone()) => samples::published_key(full));
    let request = samples::trust_request(full);
    promise!(stage, "trust", (&context, &request),
        publishers.trust(&context, request.clone()) => samples::trusted(full));
    let request = samples::distrust_request(full);
    promise!(stage, "distrust", (&context, &request),
        publishers.distrust(&context, request.clone()) => samples::keys(full));
}

async fn hub(publishers: &Handle, fake: &FakePublishers, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let kind = full.then_some(HubKind::Suite);
    let query = HubQuery { kind, text: full.then(|| "é\0".to_owned()) };
    promise!(stage, "hub", (&context, &query),
        publishers.hub(&context, query.clone()) => samples::listing(full));
    let fqn = name::<Fqn>("github://acme/tools");
    promise!(stage, "hub_entry", (&context, &fqn, kind),
        publishers.hub_entry(&context, fqn.clone(), kind) => samples::found(full));
    promise!(stage, "hub_refresh", &context,
        publishers.hub_refresh(&context) => samples::copy(full));
    let kind = HubKind::Action;
    promise!(stage, "hub_decision", (&context, &fqn, kind),
        publishers.hub_decision(&context, fqn.clone(), kind) => samples::decision(full));
    let confirmation = samples::confirmation(full);
    promise!(stage, "confirm", (&context, &confirmation),
        publishers.confirm(&context, confirmation.clone()) => samples::all_trusted(full));
}

use aileron_contract::{
    bindings::{Answer, Callback, Finish, Handle},
    names::BindingName,
};

use super::{on_every_transport, promise};
use crate::{
    fakes::{FakeBindings, seen, shown},
    samples::{bindings as samples, bindings::secret, context, hosts, name, texts, vault},
};

on_every_transport!(bindings);

async fn keeps_its_promises(bindings: Handle, fake: &FakeBindings) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        made(&bindings, fake, full).await;
        browsers(&bindings, fake, full).await;
        devices(&bindings, fake, full).await;
        ends(&bindings, fake, full).await;
    }
}

async fn made(bindings: &Handle, fake: &FakeBindings, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let consent = vault::consent(full);
    promise!(stage, "bind", (&context, &consent, b"key"),
        bindings.bind(&context, consent.clone(), secret("key")) => vault::binding(full));
    promise!(stage, "agree", (&context, &consent),
        bindings.agree(&context, consent.clone()) => vault::binding(full));
    let filter = vault::binding_filter(full);
    promise!(stage, "list", (&context, &filter),
        bindings.list(&context, filter.clone()) => vault::bindings(full));
    let (connector, hosts) = (vault::consent(full).connector, hosts(full));
    promise!(stage, "declare_hosts", (&context, &connector, &hosts),
        bindings.declare_hosts(&context, connector.clone(), hosts.clone()) => vault::stale(full));
}

async fn browsers(bindings: &Handle, fake: &FakeBindings, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let begun = bindings.begin(&context, samples::begin(full)).await.unwrap();
    let expected = samples::begun(full);
    assert_eq!(shown(&begun.session), shown(&expected.session));
    assert_eq!(begun.authorize_url, expected.authorize_url);
    assert_eq!(begun.redirect_uri, expected.redirect_uri);
    assert_eq!(begun.browser_cookie.map(|it| shown(&it)), full.then(|| b"cookie".to_vec()));
    assert_eq!(begun.expires_at, expected.expires_at);
    assert_eq!(stage.take(), [seen("begin", &(&context, samples::begin(full)))]);

    let issuer = full.then(|| "https://id.example".to_owned());
    let finish = Finish {
        session: secret("session"),
        state: secret("state"),
        code: secret("co\0de"),
        issuer: issuer.clone(),
    };
    promise!(stage, "finish", (&context, b"session", b"state", b"co\0de", &issuer),
        bindings.finish(&context, finish) => samples::finished(full));

    let code = Callback {
        state: secret("s"),
        answer: Answer::Code(secret("c")),
        cookie: full.then(|| secret("cookie")),
        issuer: issuer.clone(),
    };
    let seen_answer: Result<Vec<u8>, String> = Ok(b"c".to_vec());
    promise!(stage, "callback", (&context, b"s", &seen_answer, full.then_some(b"cookie"), &issuer),
        bindings.callback(&context, code) => samples::landed(full));
    let refused = "access_denied".to_owned();
    let no = Callback {
        state: secret("s"),
        answer: Answer::Refused(refused.clone()),
        cookie: None,
        issuer: None,
    };
    let seen_answer: Result<Vec<u8>, String> = Err(refused);
    let nothing = (None::<Vec<u8>>, None::<String>);
    promise!(stage, "callback", (&context, b"s", &seen_answer, &nothing.0, &nothing.1),
        bindings.callback(&context, no) => samples::landed(full));
}

async fn devices(bindings: &Handle, fake: &FakeBindings, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let begun = bindings.begin_device(&context, samples::begin_device(full)).await.unwrap();
    let expected = samples::device_begun(full);
    assert_eq!(shown(&begun.session), shown(&expected.session));
    assert_eq!(begun.user_code, expected.user_code);
    assert_eq!(begun.verification_uri, expected.verification_uri);
    assert_eq!(begun.verification_uri_complete, expected.verification_uri_complete);
    assert_eq!((begun.expires_at, begun.interval), (expected.expires_at, expected.interval));
    assert_eq!(stage.take(), [seen("begin_device", &(&context, samples::begin_device(full)))]);

    for poll in samples::polls() {
        *fake.poll.lock().unwrap() = Some(poll.clone());
        promise!(stage, "poll_device", (&context, b"d"),
            bindings.poll_device(&context, secret("d")) => poll);
    }
}

async fn ends(bindings: &Handle, fake: &FakeBindings, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let binding = name::<BindingName>("oauth2/notes/me");
    for revoked in samples::revocations() {
        *fake.revoked.lock().unwrap() = Some(revoked.clone());
        promise!(stage, "revoke", (&context, &binding),
            bindings.revoke(&context, binding.clone()) => revoked);
    }
    promise!(stage, "set_default", (&context, &binding),
        bindings.set_default(&context, binding.clone()) => vault::binding(full));
    let (connector, scopes) = (vault::consent(full).connector, texts(full));
    promise!(stage, "declare_scopes", (&context, &connector, &scopes),
        bindings.declare_scopes(&context, connector.clone(), scopes.clone()) => vault::stale(full));
}

//! Setups with a browser: whoever did not begin one gets nothing out of it.

use std::time::Duration;

use aileron_contract::{
    Reason, Scope,
    bindings::{Answer, Begin, BindingFilter, BindingStatus, Callback, Caller, Finish, Purpose},
    credential::{Form, HeaderTemplate, Oauth2Client},
};

use super::{
    NAME, agreed, beginning, binding, bound, browser::Browser, client, finished, get, label,
    provider::Provider, returned,
};
use crate::house::{House, assert_refused, daemon, hosts_of, later, program, secret, service};

const HOME: &str = "http://127.0.0.1:8125/connections";

fn by_browser(provider: &Provider) -> Begin {
    let callback_url = "http://127.0.0.1:8125/v1/bindings/setup/oauth2/callback".to_owned();
    let caller = Caller::Daemon { callback_url, return_to: HOME.to_owned() };
    Begin { caller, ..beginning(provider) }
}

fn brought(url: &str, cookie: Option<&str>) -> Callback {
    Callback {
        state: secret(&returned(url, "state").unwrap()),
        answer: match returned(url, "code") {
            Some(code) => Answer::Code(secret(&code)),
            None => Answer::Refused(returned(url, "error").unwrap()),
        },
        cookie: cookie.map(secret),
        issuer: returned(url, "iss"),
    }
}

#[tokio::test]
async fn a_person_consents_and_the_token_reaches_the_api() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let begun = house.service.bindings().begin(&service(), beginning(&provider)).await.unwrap();
    assert!(begun.browser_cookie.is_none());
    assert_eq!(begun.redirect_uri, "http://127.0.0.1:45451/callback");
    for (key, value) in [
        ("response_type", "code"),
        ("client_id", "public"),
        ("scope", "openid offline_access notes:read"),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
    ] {
        assert_eq!(returned(&begun.authorize_url, key).as_deref(), Some(value));
    }
    assert_eq!(returned(&begun.authorize_url, "state").unwrap().len(), 43);
    assert_eq!(returned(&begun.authorize_url, "prompt"), None);
    let binding = finished(&house, begun).await.unwrap();
    assert_eq!(binding.name.as_str(), NAME);
    assert_eq!(label(&house, "refresh_token_present").await.as_deref(), Some("true"));
    let granted = label(&house, "granted_scopes").await.unwrap();
    assert!(granted.split(' ').any(|scope| scope == "notes:read"), "{granted}");
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert!(house.log.take().contains(&"binding.created"));
    let house = house.restarted().await;
    house.unlock().await;
    assert_eq!(get(&house, &provider).await, Ok(200));
}

#[tokio::test]
async fn another_state_ends_the_setup() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let begun = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    let session = begun.session.duplicate();
    let finish = |state: &str| Finish {
        session: session.duplicate(),
        state: secret(state),
        code: secret("c"),
        issuer: None,
    };
    let forged = bindings.finish(&service(), finish("forged")).await;
    assert_refused(forged, Reason::StateMismatch);
    let right = returned(&begun.authorize_url, "state").unwrap();
    assert_refused(bindings.finish(&service(), finish(&right)).await, Reason::SessionNotFound);
}

#[tokio::test]
async fn a_setup_is_finished_once_and_in_time() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let begun = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    let url = Browser::default().consents(&begun.authorize_url, &begun.redirect_uri).await;
    let finish = || Finish {
        session: begun.session.duplicate(),
        state: secret(&returned(&url, "state").unwrap()),
        code: secret(&returned(&url, "code").unwrap()),
        issuer: None,
    };
    bindings.finish(&service(), finish()).await.unwrap();
    assert_refused(bindings.finish(&service(), finish()).await, Reason::SessionNotFound);
    let begun = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    later(Duration::from_mins(10));
    assert_refused(finished(&house, begun).await, Reason::SessionNotFound);
}

#[tokio::test]
async fn only_the_browser_that_began_may_land() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let begun = bindings.begin(&service(), by_browser(&provider)).await.unwrap();
    let cookie = begun.browser_cookie.unwrap();
    let cookie = cookie.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    let url = Browser::default().consents(&begun.authorize_url, &begun.redirect_uri).await;
    // A link sent to somebody else binds nothing there, whatever cookie that browser has.
    let stranger = program(&[]);
    for other in [None, Some(""), Some("another cookie"), Some(&cookie[1..])] {
        let refused = bindings.callback(&stranger, brought(&url, other)).await;
        assert_refused(refused, Reason::BrowserMismatch);
    }
    let landed = bindings.callback(&stranger, brought(&url, Some(&cookie))).await.unwrap();
    assert_eq!((landed.return_to.as_str(), landed.binding.name.as_str()), (HOME, NAME));
    let replayed = bindings.callback(&stranger, brought(&url, Some(&cookie))).await;
    assert_refused(replayed, Reason::SessionNotFound);
    assert_eq!(get(&house, &provider).await, Ok(200));
}

#[tokio::test]
async fn a_setup_comes_back_the_way_it_was_begun() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let by_cli = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    let url = Browser::default().consents(&by_cli.authorize_url, &by_cli.redirect_uri).await;
    let landed = bindings.callback(&service(), brought(&url, Some("x"))).await;
    assert_refused(landed, Reason::WrongCallerMode);
    let begun = bindings.begin(&service(), by_browser(&provider)).await.unwrap();
    let state = returned(&begun.authorize_url, "state").unwrap();
    let (state, code) = (secret(&state), secret("c"));
    let finish = Finish { session: begun.session, state, code, issuer: None };
    assert_refused(bindings.finish(&service(), finish).await, Reason::WrongCallerMode);
}

#[tokio::test]
async fn an_answer_of_another_provider_ends_the_setup_and_binds_nothing() {
    let (provider, other) = (Provider::start(), Provider::start());
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let begun = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    let theirs = Browser::default().consents(&begun.authorize_url, &begun.redirect_uri).await;
    let code = returned(&theirs, "code").unwrap();
    // A connector sent its person to somebody else's provider, and has the answer brought to its own.
    let state = secret(&returned(&begun.authorize_url, "state").unwrap());
    let issuer = Some(other.url(""));
    let finish = Finish { session: begun.session, state, code: secret(&code), issuer };
    assert_refused(bindings.finish(&service(), finish).await, Reason::IssuerMismatch);
    let begun = bindings.begin(&service(), by_browser(&provider)).await.unwrap();
    let cookie = begun.browser_cookie.unwrap();
    let url = Browser::default().consents(&begun.authorize_url, &begun.redirect_uri).await;
    assert_eq!(returned(&url, "iss"), Some(provider.url("")));
    let cookie = cookie.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    let forged = Callback { issuer: Some(other.url("")), ..brought(&url, Some(&cookie)) };
    assert_refused(bindings.callback(&service(), forged).await, Reason::IssuerMismatch);
    let all = house.service.bindings().list(&daemon(), BindingFilter::default()).await;
    assert!(all.unwrap().is_empty());
}

#[tokio::test]
async fn a_refusal_ends_the_setup_and_tells_the_code_alone() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let begun = bindings.begin(&service(), by_browser(&provider)).await.unwrap();
    let cookie = begun.browser_cookie.unwrap();
    let state = returned(&begun.authorize_url, "state").unwrap();
    let refusal = |error: &str| Callback {
        state: secret(&state),
        answer: Answer::Refused(error.to_owned()),
        cookie: Some(cookie.duplicate()),
        issuer: None,
    };
    let refused = bindings.callback(&service(), refusal("<b>Call 555-1234</b>")).await;
    let error = assert_refused(refused, Reason::ProviderError);
    assert!(!error.public().contains("555") && !error.public().contains('<'), "{error}");
    let again = bindings.callback(&service(), refusal("access_denied")).await;
    assert_refused(again, Reason::SessionNotFound);
}

#[tokio::test]
async fn a_forged_code_gets_no_tokens() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let begun = bindings.begin(&service(), beginning(&provider)).await.unwrap();
    let state = secret(&returned(&begun.authorize_url, "state").unwrap());
    let code = secret("forged-code-canary");
    let finish = Finish { session: begun.session, state, code, issuer: None };
    let refused = bindings.finish(&service(), finish).await;
    let error = assert_refused(refused, Reason::TokenExchangeFailed);
    assert_eq!(error.details().unwrap()["error"], "invalid_grant");
    assert_eq!(error.details().unwrap()["status"], 400);
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn what_could_not_be_finished_is_not_begun() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let refused = async |begin: Begin, reason| {
        assert_refused(bindings.begin(&service(), begin).await, reason);
    };
    let mut key = beginning(&provider);
    key.consent.reach.form = Form::ApiKey(HeaderTemplate::default());
    refused(key, Reason::UnsupportedKind).await;
    let again = Begin { purpose: Purpose::Reauthorize, ..beginning(&provider) };
    refused(again, Reason::BindingNotFound).await;
    refused(
        Begin { caller: Caller::Cli { port: 0 }, ..beginning(&provider) },
        Reason::InvalidRequest,
    )
    .await;
    for return_to in [
        "https://evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "http://127.0.0.1\\@evil.example/",
        "http://127.0.0.1/#x",
    ] {
        let callback_url = "http://127.0.0.1:1/cb".to_owned();
        let caller = Caller::Daemon { callback_url, return_to: return_to.to_owned() };
        refused(Begin { caller, ..beginning(&provider) }, Reason::InvalidReturnTo).await;
    }
    let bare = bindings.begin(&daemon(), beginning(&provider)).await;
    assert_refused(bare, Reason::ScopeMissing);
    let writer = program(&[Scope::BindingsWrite]);
    for _ in 0..aileron_contract::limits::OAUTH_SETUPS {
        bindings.begin(&writer, beginning(&provider)).await.unwrap();
    }
    refused(beginning(&provider), Reason::Busy).await;
    later(Duration::from_mins(10));
    bindings.begin(&writer, beginning(&provider)).await.unwrap();
    house.service.vault().lock(&service()).await.unwrap();
    refused(beginning(&provider), Reason::VaultLocked).await;
}

#[tokio::test]
async fn a_provider_inside_has_to_be_consented_to() {
    let provider = Provider::start();
    let house = House::with_vault().await;
    let mut wanted = beginning(&provider);
    wanted.consent.reach.hosts = hosts_of(&["api.example.com:443"]);
    let begun = house.service.bindings().begin(&service(), wanted).await.unwrap();
    assert_refused(finished(&house, begun).await, Reason::TokenExchangeFailed);
}

#[tokio::test]
async fn authorizing_again_keeps_what_the_binding_was() {
    let provider = Provider::start();
    let house = bound(&provider).await;
    let before = binding(&house).await;
    later(Duration::from_hours(2));
    let mut taken = beginning(&provider);
    taken.consent.refuse_existing = true;
    let bindings = house.service.bindings();
    assert_refused(bindings.begin(&service(), taken).await, Reason::BindingExists);
    provider.control("forget").await;
    get(&house, &provider).await.unwrap_err();
    assert_eq!(binding(&house).await.status, BindingStatus::Stale);
    let mut consent = agreed(&provider);
    (consent.account, consent.refuse_existing) = (None, true);
    let purpose = Purpose::Reauthorize;
    let again = Begin { consent, purpose, client: client(&provider), ..beginning(&provider) };
    let begun = bindings.begin(&service(), again).await.unwrap();
    assert_eq!(returned(&begun.authorize_url, "prompt").as_deref(), Some("consent"));
    let after = finished(&house, begun).await.unwrap();
    assert_eq!((after.created_at, &after.account), (before.created_at, &before.account));
    assert_eq!((after.status, after.stale_reason), (BindingStatus::Active, None));
    assert_eq!(get(&house, &provider).await, Ok(200));
}

#[tokio::test]
async fn locking_the_vault_ends_the_setups_that_wait() {
    let house = House::with_vault().await;
    let bindings = house.service.bindings();
    let mut consent = crate::house::consent(super::CONNECTOR, "me", &["id.example:443"]);
    consent.reach.form = Form::Oauth2;
    let at = |path: &str| format!("https://id.example{path}").parse().unwrap();
    let client =
        Oauth2Client::new(at("/auth"), at("/token"), "public", vec!["notes:read".to_owned()]);
    let begin = Begin {
        consent,
        client: client.unwrap(),
        purpose: Purpose::Setup,
        caller: Caller::Cli { port: 45_451 },
    };
    let under_way = bindings.begin(&service(), begin).await.unwrap();
    house.service.vault().lock(&service()).await.unwrap();
    let state = returned(&under_way.authorize_url, "state").unwrap();
    let finish = || Finish {
        session: under_way.session.duplicate(),
        state: secret(&state),
        code: secret("c"),
        issuer: None,
    };
    assert_refused(bindings.finish(&service(), finish()).await, Reason::VaultLocked);
    house.unlock().await;
    let gone = bindings.finish(&service(), finish()).await;
    assert_refused(gone, Reason::SessionNotFound);
}

//! Credentials that are bound from the page: what is agreed to, and where the browser goes.

use aileron_contract::{
    bindings::{Caller, Purpose},
    names::Sha256Hash,
    vault::State,
};

use super::{Browser, send};
use crate::house::Door;

const NOTES: &str = "connector=github%3A%2F%2Facme%2Fnotes";
const SIGNED_IN: &str = "connector=github%3A%2F%2Facme%2Fsigned-in";
const HOSTS: &str = "hosts=a.example:443%20b.example:443";
const SCOPES: &str = "scopes=notes:read%20notes:write";
const CALLBACK: &str = "/v1/bindings/setup/oauth2/callback";

async fn unlocked() -> Door {
    let door = Door::open().await;
    *door.world.state.lock().unwrap() = Some(State::Unlocked);
    door
}

#[tokio::test]
async fn a_key_is_bound_for_exactly_the_hosts_that_were_shown() {
    let door = unlocked().await;
    let browser = Browser::open(&door).await;
    let form = browser.get(&format!("/bindings/setup?{NOTES}")).await;
    for shown in [
        "<code>a.example:443</code>",
        "<code>b.example:443</code>",
        "X-Key: {key}",
        "name=\"value\" type=\"password\"",
        "autocomplete=\"new-password\"",
        "name=\"hosts\" value=\"a.example:443 b.example:443\"",
    ] {
        assert!(form.body.contains(shown), "{shown}: {}", form.body);
    }
    let fields = format!("{NOTES}&{HOSTS}&scopes=&how=value&identity=work&account=&value=k3y");
    let reply = browser.post("/bindings/setup", &fields).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let to = format!("{}/bindings?bound=api_key%2Fnotes%2Fwork", browser.place);
    assert_eq!(reply.header("location"), to);
    {
        let consents = door.world.consents.lock().unwrap();
        let (consent, value) = &consents[0];
        assert_eq!((consent.identity.as_str(), value.as_slice()), ("work", &b"k3y"[..]));
        assert!(consent.refuse_existing);
        assert_eq!(consent.reach.hosts.len(), 2);
    }
    // Shown other hosts than there are now: looked at again, and nothing is bound.
    let other = fields.replace(HOSTS, "hosts=a.example:443");
    let reply = browser.post("/bindings/setup", &other).await;
    assert_eq!(reply.status, 409, "{}", reply.body);
    let back = "href=\"bindings/setup?connector=github%3A%2F%2Facme%2Fnotes\"";
    assert!(reply.body.contains(back), "{}", reply.body);
    let base = format!("<base href=\"{}/\">", browser.place);
    assert!(reply.body.contains(&base), "{}", reply.body);
    // Without the value, and for an identity that is taken.
    let empty = fields.replace("value=k3y", "value=");
    assert_eq!(browser.post("/bindings/setup", &empty).await.status, 400);
    let taken = fields.replace("identity=work", "identity=taken");
    assert_eq!(browser.post("/bindings/setup", &taken).await.status, 409);
    assert_eq!(door.world.consents.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_binding_is_given_again_or_its_consent_renewed() {
    let door = unlocked().await;
    let browser = Browser::open(&door).await;
    let form = browser.get("/bindings/setup?name=api_key/notes/default").await;
    // What the connector asks for beyond what was agreed to.
    assert!(form.body.contains("<code>b.example:443</code> <strong class=\"warn\">new</strong>"));
    assert!(!form.body.contains("a.example:443</code> <strong"), "{}", form.body);
    let name = "name=api_key%2Fnotes%2Fdefault";
    let kept = format!("{name}&{HOSTS}&scopes=&how=keep");
    assert_eq!(browser.post("/bindings/setup", &kept).await.status, 303);
    assert_eq!(door.world.called("agree").len(), 1);
    let again = format!("{name}&{HOSTS}&scopes=&how=value&value=new");
    assert_eq!(browser.post("/bindings/setup", &again).await.status, 303);
    let consents = door.world.consents.lock().unwrap();
    assert!(!consents[1].0.refuse_existing);
    assert_eq!((consents[1].0.identity.as_str(), &consents[1].1[..]), ("default", &b"new"[..]));
}

#[tokio::test]
async fn a_provider_is_visited_and_leads_back_to_the_place_of_the_browser_that_began() {
    let door = unlocked().await;
    let browser = Browser::open(&door).await;
    let form = browser.get(&format!("/bindings/setup?{SIGNED_IN}")).await;
    for shown in ["id.example:443", "<code>notes:read</code>", "<code>notes:write</code>"] {
        assert!(form.body.contains(shown), "{shown}: {}", form.body);
    }
    let fields = format!("{SIGNED_IN}&{HOSTS}&{SCOPES}&how=provider&identity=work");
    let reply = browser.post("/bindings/setup", &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains("content=\"0;url=https://id.example/authorize?state=s\""));
    let hash = Sha256Hash::of(&[b"s"]).to_string();
    let name = format!("aileron_oauth_{}", &hash["sha256:".len()..][..16]);
    let cookie = reply.header("set-cookie").to_owned();
    let wanted = format!("{name}=c00kie; Path={CALLBACK}; Max-Age=600; HttpOnly; SameSite=Lax");
    assert_eq!(cookie, wanted);
    {
        let begun = door.world.begun.lock().unwrap();
        assert_eq!(begun[0].purpose, Purpose::Setup);
        let port = door.address.port();
        let callback_url = format!("http://127.0.0.1:{port}{CALLBACK}");
        let return_to = format!("http://127.0.0.1:{port}/bindings");
        assert_eq!(begun[0].caller, Caller::Daemon { callback_url, return_to });
    }

    // The provider's redirect goes to this machine, and from there to the page's own name.
    let line = format!("GET {CALLBACK}?code=c&state=s");
    let detour = door.raw(&line, "", "").await;
    let own = format!("http://{}{CALLBACK}?code=c&state=s", browser.host);
    assert_eq!((detour.status, detour.header("location")), (303, own.as_str()));
    // Another browser's is refused, and the setup waits for the right one.
    let refused = send(&door, &line, &browser.host, "", "").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.contains("href=\"bindings\""), "{}", refused.body);
    assert!(refused.header("content-security-policy").contains("style-src 'self'"));
    let brought = format!("Cookie: {name}=c00kie\r\n");
    let landed = send(&door, &line, &browser.host, &brought, "").await;
    let to = format!("{}/bindings?bound=api_key%2Fnotes%2Fdefault", browser.place);
    assert_eq!((landed.status, landed.header("location")), (303, to.as_str()));
    assert!(landed.header("set-cookie").starts_with(&format!("{name}=; ")));
    let bindings = browser.get("/bindings?bound=api_key%2Fnotes%2Fdefault").await;
    assert!(bindings.body.contains("</strong> is bound."), "{}", bindings.body);
}

#[tokio::test]
async fn what_changed_is_accepted_as_it_was_shown_and_not_otherwise() {
    let door = unlocked().await;
    let browser = Browser::open(&door).await;
    let page = browser.get("/drift").await;
    assert!(page.body.contains("<del>-a\n</del>"), "{}", page.body);
    let digest = format!("digest=sha256:{}", "07".repeat(32));
    let seen = format!("of=lock&which=&{digest}");
    let reply = browser.post("/drift/accept", &seen).await;
    let to = format!("{}/drift", browser.place);
    assert_eq!((reply.status, reply.header("location")), (303, to.as_str()));
    // It is not what was shown any more.
    let other = seen.replace("0707", "0708");
    assert_eq!(browser.post("/drift/accept", &other).await.status, 409);
    assert_eq!(browser.post("/drift/accept", "of=lock&which=").await.status, 400);
    // What it needs besides is told.
    let action = format!("of=action&which=notes-list&{digest}");
    let reply = browser.post("/drift/accept", &action).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("github://acme/notes@1.0.0"), "{}", reply.body);
    // A form without its token accepts nothing.
    let ours = format!("Origin: http://{}\r\n", browser.host);
    assert_eq!(browser.post_as("/drift/accept", &ours, &seen).await.status, 403);
    assert_eq!(door.world.called("accept").len(), 3);
}

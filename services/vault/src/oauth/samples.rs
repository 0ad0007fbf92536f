//! What the tests of this room begin with.

use aileron_contract::{
    Context, Secret,
    bindings::{Consent, Purpose},
    credential::{Form, Oauth2Client, Reach},
};

use super::setups::{Plan, Setup, Way};

pub(super) fn client() -> Oauth2Client {
    let at = |path: &str| format!("https://id.example{path}").parse().unwrap();
    let scopes = vec!["read".to_owned(), "write".to_owned()];
    Oauth2Client::new(at("/auth?tenant=a"), at("/token"), "me & you", scopes).unwrap()
}

fn consent() -> Consent {
    Consent {
        connector: "github://acme/notes".parse().unwrap(),
        service: "notes".to_owned(),
        identity: "me".parse().unwrap(),
        account: None,
        scope: None,
        reach: Reach { hosts: Vec::new(), form: Form::Oauth2 },
        access_key_id: None,
        region: None,
        refuse_existing: false,
    }
}

pub(super) fn plan() -> Plan {
    Plan {
        context: Context::service("tests"),
        consent: consent(),
        client: client(),
        purpose: Purpose::Setup,
    }
}

pub(super) fn setup(way: Way) -> Setup {
    Setup {
        plan: plan(),
        redirect_uri: super::places::of_cli(1).unwrap(),
        verifier: Secret::from("verifier".to_owned()),
        way,
    }
}

pub(super) fn secret(text: impl Into<String>) -> Secret {
    Secret::from(text.into())
}

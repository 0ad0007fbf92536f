//! A connector for each kind of credential, and how a person binds it.

use aileron_api::{
    Sensitive,
    client::Client,
    oauth2::{Caller, Finish, Init, Purpose, Wanted},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    browser::Browser,
    hostile::{Connector, Deed},
    oidc::Provider,
    upstream::Upstream,
};

/// A secret that has never been anywhere, with characters that every spelling spells differently.
pub(crate) fn fresh(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    // A temporary folder's name is random.
    let random = Sha256::digest(format!("{name} {}", folder.path().display()));
    format!("c/{}+q=", STANDARD_NO_PAD.encode(&random[..21]))
}

pub(crate) struct Kind {
    name: &'static str,
    repo: String,
    hosts: Vec<String>,
    section: String,
    envelope: String,
}

impl Kind {
    pub(crate) fn all(upstream: &Upstream, provider: &Provider) -> Vec<Self> {
        [
            ("api_key", "kind = \"api_key\"".to_owned()),
            ("basic", "kind = \"basic\"".to_owned()),
            (
                "header",
                "kind = \"header\"\nheader = \"X-Session\"\nformat = \"id={token}\"".to_owned(),
            ),
            ("query", "kind = \"query\"\nparameter = \"access_key\"".to_owned()),
            (
                "aws_sigv4",
                "kind = \"aws_sigv4\"\nservice = \"sqs\"\nregion = \"us-east-1\"\n\
                 access_key_id = \"AKIAEXAMPLE\""
                    .to_owned(),
            ),
            ("oauth2", provider.credential()),
        ]
        .map(|(kind, section)| Self {
            name: kind,
            repo: kind.replace('_', "-"),
            hosts: vec![upstream.host.clone(), provider.host.clone()],
            section,
            envelope: json!({
                "method": "POST",
                "url": format!("http://{}/{kind}?page=1", upstream.host),
                "headers": { "content-type": "text/plain" },
                "body": "as it was written",
                "credential": kind,
            })
            .to_string(),
        })
        .into()
    }

    pub(crate) fn hosts(&self) -> Vec<&str> {
        self.hosts.iter().map(String::as_str).collect()
    }

    /// A connector that sends one request with this credential.
    pub(crate) fn connector<'a>(&'a self, hosts: &'a [&'a str]) -> Connector<'a> {
        Connector {
            repo: &self.repo,
            hosts,
            credential: Some(&self.section),
            wall_seconds: 30,
            gated: false,
            deeds: vec![Deed::Sends(self.envelope.clone())],
        }
    }

    /// Binds a fresh credential; returns what of it is secret. A provider's tokens are its own to
    /// tell.
    pub(crate) async fn bind(&self, person: &Client, connector: &Connector<'_>) -> Vec<String> {
        let (one, two) = (fresh(self.name), fresh("another"));
        let (value, secrets) = match self.name {
            "basic" => (format!("somebody:{one}"), vec![one]),
            "aws_sigv4" => {
                let key = json!({ "secret_access_key": one, "session_token": two });
                (key.to_string(), vec![one, two])
            }
            "oauth2" => {
                self.log_in(person, connector).await;
                return Vec::new();
            }
            _ => (one.clone(), vec![one]),
        };
        connector.bind_as(person, self.name, &value).await;
        secrets
    }

    async fn log_in(&self, person: &Client, connector: &Connector<'_>) {
        let wanted = Wanted {
            connector_fqn: connector.fqn(),
            identity: "work".to_owned(),
            service: Some(self.repo.clone()),
            account: None,
            purpose: Purpose::Setup,
            hosts: None,
            scopes: None,
        };
        let init = Init { wanted, caller: Caller::Cli, return_to: None };
        let begun = person.begin_oauth2(&init).await.unwrap().value;
        let back = Browser::default().consents(&begun.authorize_url, &begun.redirect_uri).await;
        let back: Url = back.parse().unwrap();
        let part = |key: &str| {
            let found = back.query_pairs().find(|(name, _)| name == key).unwrap();
            Sensitive::new(found.1.into_owned())
        };
        let finish = Finish {
            session_id: begun.session_id,
            code: part("code"),
            state: part("state"),
            iss: None,
        };
        person.finish_oauth2(&finish).await.unwrap();
    }
}

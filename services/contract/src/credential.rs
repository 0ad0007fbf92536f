//! Which kinds of credential exist, the form in which each joins a request, and how a connector's
//! manifest asks for one.

use crate::{closed::closed, names::HostPort};

mod client;
mod form;
mod template;

pub use client::{Endpoint, Oauth2Client};
pub use form::{Form, QueryParameter, Signing, SigningWord};
pub use template::{HeaderTemplate, TokenTemplate};

closed! {
    /// The kind of a credential, as manifests and binding names spell it.
    CredentialKind {
        ApiKey = "api_key",
        Oauth2 = "oauth2",
        AwsSigv4 = "aws_sigv4",
        Basic = "basic",
        Header = "header",
        Query = "query",
    }
}

/// What a connector's manifest declares about credentials, shown to the person and sealed with
/// the binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialNeed {
    /// Prose for prompts.
    pub scope: Option<String>,
    pub form: Form,
    /// How a token is obtained; with the form [`Form::Oauth2`], always.
    pub oauth2: Option<Oauth2Client>,
}

impl CredentialNeed {
    pub fn kind(&self) -> CredentialKind {
        self.form.kind()
    }
}

/// What a person consents to when binding a credential: these hosts, in this form, no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub hosts: Vec<HostPort>,
    pub form: Form,
}

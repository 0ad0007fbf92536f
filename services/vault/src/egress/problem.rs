//! What can go wrong with one request, and how it is told.

use aileron_contract::{
    credential::CredentialKind,
    egress::{Outcome, SendFailure, Sent},
    failure::{Boundary, Class, Failure},
    names::{BindingName, HostPort, SecretName},
};

use super::address::Place;

/// A request's failure, precise inside; [`Problem::failure`] decides what leaves.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the request is malformed: {0}")]
    Malformed(String),
    #[error("the request brings its own {header} header; ask for a credential instead")]
    OwnCredential { header: &'static str },
    #[error("{host} is not among the hosts the connector declares")]
    HostNotDeclared { host: HostPort, declared: Vec<HostPort> },
    #[error(
        "the source sends on to {host}, and packages are not fetched from there; if they may be, \
         list it under sources.github.asset_hosts"
    )]
    HostNotListed { host: HostPort, listed: Vec<HostPort> },
    #[error("{host} is not among the hosts consented to for {binding}; bind it again to consent")]
    HostNotConsented { host: HostPort, binding: BindingName, consented: Vec<HostPort> },
    #[error("{host} may only be reached over https; plain http is for this machine, by its name")]
    PlainText { host: HostPort },
    #[error("{host} leads to {}, which nobody consented to", place.text())]
    AddressRefused { host: HostPort, place: Place },
    #[error("the connector wants {binding} in another form than was consented to; bind it again")]
    FormChanged { binding: BindingName },
    #[error("{binding} holds a credential of kind {stored}, not {wanted}")]
    KindChanged { binding: BindingName, stored: CredentialKind, wanted: CredentialKind },
    #[error(
        "signing inputs incomplete: neither {host} nor the binding nor the manifest says {}; \
         bind it again with what is missing",
        missing.join(" and ")
    )]
    SigningIncomplete { host: HostPort, missing: Vec<&'static str> },
    #[error("the request's URL brings a signature of its own; ask for a credential without it")]
    OwnSignature,
    #[error("the value of {binding} cannot be sent: {reason}; bind it again")]
    ValueUnfit { binding: BindingName, reason: &'static str },
    #[error(
        "vault:secret/{name} is not meant for {host}: this configuration does not send it there"
    )]
    SecretElsewhere { name: SecretName, host: HostPort },
    #[error("the upstream redirects from https to http")]
    Downgrade,
    #[error("the upstream redirects to an address that is no URL")]
    RedirectMalformed,
    #[error("the upstream redirects a request that may change something to another host, {host}")]
    EffectWouldMove { host: HostPort },
    /// Names who redirects: where to would tell the credential.
    #[error("{host} redirects to another host with the credential in the address")]
    CredentialInRedirect { host: HostPort },
    #[error("the upstream redirects more than {0} times")]
    TooManyRedirects(u32),
    #[error("{host} could not be resolved")]
    Unresolved { host: HostPort },
    #[error("{host} could not be reached: {why}")]
    Unreachable { host: HostPort, why: String },
    #[error("the connection to {host} broke: {why}")]
    Broken { host: HostPort, why: String },
    #[error("{host} did not answer within the time the call has")]
    Late { host: HostPort },
    #[error("the answer is longer than the {max} bytes allowed")]
    TooLong { max: u64 },
    #[error("too many requests are under way; try again in a moment")]
    Busy,
    /// Somebody else's failure, passed on as it is.
    #[error("{0}")]
    Passed(Box<Failure>),
}

impl Problem {
    pub(crate) fn outcome(self, sent: Sent) -> Outcome {
        Outcome::Failed(SendFailure { sent, failure: self.failure() })
    }

    pub(crate) fn failure(self) -> Failure {
        let message = self.to_string();
        let denied = |boundary| Failure::new(Class::CapabilityDenied, boundary, message.clone());
        let network = || Failure::new(Class::NetworkError, Boundary::External, message.clone());
        let over = |limit: &str| {
            Failure::new(Class::ResourceLimitExceeded, Boundary::Sandbox, message.clone())
                .detail("limit", limit)
        };
        match self {
            Self::Malformed(_) => {
                Failure::new(Class::ConnectorRuntimeError, Boundary::Sandbox, message)
            }
            Self::OwnCredential { header } => {
                denied(Boundary::Sandbox).detail("requested", format!("header:{header}"))
            }
            Self::HostNotDeclared { host, declared: hosts }
            | Self::HostNotListed { host, listed: hosts } => {
                granted(denied(Boundary::Sandbox), &host, &hosts)
            }
            Self::HostNotConsented { host, consented, binding: _ } => {
                granted(denied(Boundary::Runtime), &host, &consented)
                    .detail("boundary_detail", "binding")
            }
            Self::SecretElsewhere { name, host } => denied(Boundary::Runtime)
                .detail("requested", format!("network:{host}"))
                .detail("secret", name.as_str()),
            Self::PlainText { host }
            | Self::AddressRefused { host, place: _ }
            | Self::EffectWouldMove { host }
            | Self::CredentialInRedirect { host } => {
                denied(Boundary::Sandbox).detail("requested", format!("network:{host}"))
            }
            Self::Downgrade => denied(Boundary::Sandbox),
            Self::FormChanged { binding: _ } => {
                denied(Boundary::Runtime).detail("boundary_detail", "binding")
            }
            Self::KindChanged { stored, wanted, binding: _ } => denied(Boundary::Runtime)
                .detail("boundary_detail", "vault")
                .detail("requested", format!("credential:{wanted}"))
                .detail("stored", stored.text()),
            Self::SigningIncomplete { host: _, missing } => denied(Boundary::Runtime)
                .detail("requested", format!("credential:{}", CredentialKind::AwsSigv4))
                .detail("missing", missing),
            Self::OwnSignature => {
                denied(Boundary::Sandbox).detail("requested", "query:x-amz-signature")
            }
            Self::ValueUnfit { .. } => {
                Failure::new(Class::BindingFailed, Boundary::Runtime, message)
            }
            Self::RedirectMalformed | Self::TooManyRedirects(_) => network(),
            Self::Unresolved { host: _ }
            | Self::Unreachable { host: _, why: _ }
            | Self::Broken { host: _, why: _ }
            | Self::Busy => network().retriable(true),
            Self::Late { host: _ } => over("wall_time"),
            Self::TooLong { max } => {
                over("response_body").detail("configured", format!("{max} bytes"))
            }
            Self::Passed(failure) => *failure,
        }
    }
}

/// Names what was asked for and what there is, as published.
fn granted(failure: Failure, host: &HostPort, hosts: &[HostPort]) -> Failure {
    let hosts: Vec<String> = hosts.iter().map(|host| format!("network:{host}")).collect();
    failure.detail("requested", format!("network:{host}")).detail("granted", hosts)
}

//! What egress asks of the vault.

use std::sync::{Arc, OnceLock};

use aileron_contract::{
    Secret,
    credential::{CredentialKind, Reach, SigningWord},
    egress::CredentialUse,
    failure::{Boundary, Class, Failure},
    names::{BindingName, Fqn, HostPort, SecretName, Sha256Hash},
};
use async_trait::async_trait;

use super::inject::{Made, Ready};
use crate::guarded::{Guarded, Memory};

/// Hands one credential to egress, for one request.
#[async_trait]
pub trait Credentials: Send + Sync + 'static {
    /// What [`resolve`](Self::resolve) would say, when it would say it at once: the same was asked
    /// before, and nothing has changed since.
    fn at_hand(
        &self,
        _connector: &Fqn,
        _wanted: &CredentialUse,
        _host: &HostPort,
    ) -> Option<Arc<Resolved>> {
        None
    }

    /// The credential of the connector that fits `wanted`, together with the consent sealed with
    /// it. `host` is where the request goes: of several signing keys, its region picks one.
    /// Whether the credential may go there is not asked: egress holds it against `reach`.
    async fn resolve(
        &self,
        connector: &Fqn,
        wanted: &CredentialUse,
        host: &HostPort,
    ) -> Result<Arc<Resolved>, Failure>;

    /// The binding's credential was joined to a request that is about to leave.
    fn used(&self, binding: &BindingName);

    /// A secret of the vault, for a source's token.
    async fn stored(&self, name: &SecretName) -> Result<Secret, Failure> {
        let text = format!("there is no vault to take vault:secret/{name} from");
        Err(Failure::new(Class::BindingFailed, Boundary::Runtime, text))
    }

    /// An upstream refused this token. Is there another one in its place now?
    async fn replaced(&self, _token: &Token) -> bool {
        false
    }
}

/// A credential and the consent that bounds its use.
#[derive(Debug)]
pub struct Resolved {
    pub binding: BindingName,
    /// What the person consented to. A binding of an older file consented to no form: its form
    /// is the wanted one.
    pub reach: Reach,
    /// What joins the request: a key, a token, `user:password`; with `oauth2` an access token
    /// that is fresh enough, with `aws_sigv4` the signing key as it is stored.
    pub value: Value,
    /// Of a signing key.
    pub access_key_id: Option<SigningWord>,
    /// Of a signing key.
    pub region: Option<SigningWord>,
}

/// A credential's value, with what was worked out from it, so that a request that follows need not
/// do it again.
#[derive(Debug)]
pub struct Value {
    bytes: Guarded,
    memory: Memory,
    ready: OnceLock<Ready>,
}

impl Value {
    /// For longer than one request. None when there is no locked memory to have.
    pub(crate) fn lasting(bytes: &[u8]) -> Option<Self> {
        let bytes = Memory::Locked.copy(bytes).ok()?;
        Some(Self { bytes, memory: Memory::Locked, ready: OnceLock::new() })
    }

    /// Lends the bytes to `reader`. What it copies is no longer wiped.
    pub(crate) fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        reader(&self.bytes)
    }

    /// What `work` makes of it in the memory it is told. Kept only where the value itself is.
    pub(super) fn ready(&self, work: impl Fn(&[u8], Memory) -> Made) -> Made {
        if let Some(ready) = self.ready.get() {
            return Ok(ready.clone());
        }
        match work(&self.bytes, self.memory) {
            Ok(ready) => Ok(self.ready.get_or_init(|| ready).clone()),
            Err(_) => work(&self.bytes, Memory::Plain),
        }
    }
}

/// For one request.
impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        let mut bytes = Guarded::new(secret.len());
        secret.expose(|secret| bytes.bytes_mut().copy_from_slice(secret));
        Self { bytes, memory: Memory::Plain, ready: OnceLock::new() }
    }
}

/// How a credential is asked for.
pub(crate) struct Asked {
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) wanted: CredentialUse,
}

impl Asked {
    /// The credential for a request of the connector to this host.
    pub(crate) async fn resolve(
        &self,
        connector: &Fqn,
        host: &HostPort,
    ) -> Result<Arc<Resolved>, Failure> {
        let Self { credentials, wanted } = self;
        if let Some(resolved) = credentials.at_hand(connector, wanted, host) {
            return Ok(resolved);
        }
        credentials.resolve(connector, wanted, host).await
    }

    /// Is it the same now? A token may have been refreshed meanwhile; whatever a person gives or
    /// takes away counts at once.
    pub(crate) async fn again(
        &self,
        connector: &Fqn,
        host: &HostPort,
        before: &Resolved,
    ) -> Result<(), Failure> {
        let now = self.credentials.resolve(connector, &self.wanted, host).await?;
        let same = now.value.expose(|now| before.value.expose(|before| now == before));
        if now.binding == before.binding && (same || Token::of(&now).is_some()) {
            return Ok(());
        }
        let text = format!(
            "{} was replaced while the request was under way: it was not sent on",
            before.binding
        );
        Err(Failure::new(Class::BindingFailed, Boundary::Runtime, text))
    }
}

/// One access token, for asking about it: whose it is, and which one, not what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub binding: BindingName,
    pub print: Sha256Hash,
}

impl Token {
    /// None of credentials that nobody can replace but the person.
    pub(super) fn of(resolved: &Resolved) -> Option<Self> {
        if resolved.reach.form.kind() != CredentialKind::Oauth2 {
            return None;
        }
        let print = resolved.value.expose(|value| Sha256Hash::of(&[value]));
        Some(Self { binding: resolved.binding.clone(), print })
    }
}

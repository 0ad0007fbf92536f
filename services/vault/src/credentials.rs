//! What the vault tells egress: one credential, for one connector, with the consent it is
//! bound by. Anything unclear is a refusal that says what to do.

use std::sync::Arc;

use aileron_contract::{
    Error, Reason, Secret,
    bindings::{Binding, BindingFilter, BindingStatus, StaleReason},
    credential::{CredentialKind, Reach},
    egress::CredentialUse,
    failure::{Boundary, Class, Failure},
    names::{BindingName, Fqn, HostPort, SecretName, VaultPath},
};
use async_trait::async_trait;

use crate::{
    binding::{self, Record},
    egress::{Credentials, Resolved, Token, Value, sign},
    keeper::{Keeper, opened::Question},
    oauth::Tokens,
};

/// The bindings of the vault, as egress sees them.
#[derive(Debug)]
pub(crate) struct Bindings {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) tokens: Arc<Tokens>,
}

#[async_trait]
impl Credentials for Bindings {
    fn at_hand(
        &self,
        connector: &Fqn,
        wanted: &CredentialUse,
        host: &HostPort,
    ) -> Option<Arc<Resolved>> {
        self.keeper.opened()?.answer(connector, wanted, host)
    }

    async fn resolve(
        &self,
        connector: &Fqn,
        wanted: &CredentialUse,
        host: &HostPort,
    ) -> Result<Arc<Resolved>, Failure> {
        let unusable = |error: Error| of_vault(&error, connector, wanted);
        let view = self.keeper.recent().await.map_err(unusable)?;
        if let Some(resolved) = view.opened.answer(connector, wanted, host) {
            return Ok(resolved);
        }
        let (file, keys) = view.unlocked().map_err(unusable)?;
        let filter = BindingFilter {
            connector: Some(connector.clone()),
            kind: Some(wanted.form.kind()),
            name: wanted.binding.clone(),
        };
        let found = by_default(for_region(binding::select(file.entries(), &filter), host));
        let [record] = found.as_slice() else {
            return Err(unclear(&found, connector, wanted));
        };
        let reach = usable(record, wanted)?;
        let name = &record.binding.name;
        let (value, lasting) = if record.binding.kind == CredentialKind::Oauth2 {
            (self.tokens.access(name).await?.into(), false)
        } else {
            let value = file.open(&keys, name.as_str());
            let value = value.map_err(|error| unusable(error.into()))?;
            match Value::lasting(&value) {
                Some(value) => (value, true),
                None => (Secret::new(value.to_vec()).into(), false),
            }
        };
        let resolved = Arc::new(Resolved {
            binding: record.binding.name.clone(),
            reach,
            value,
            access_key_id: record.binding.access_key_id.clone(),
            region: record.binding.region.clone(),
        });
        if lasting {
            let (connector, wanted, host) = (connector.clone(), wanted.clone(), host.clone());
            view.opened.keep(Question { connector, wanted, host }, Arc::clone(&resolved));
        }
        Ok(resolved)
    }

    fn used(&self, binding: &BindingName) {
        self.keeper.used(binding);
    }

    async fn stored(&self, name: &SecretName) -> Result<Secret, Failure> {
        let refused = |text: String| {
            Failure::new(Class::BindingFailed, Boundary::Runtime, text)
                .detail("secret", name.as_str())
        };
        let told = |error: Error| {
            refused(format!("vault:secret/{name} cannot be read: {}", error.public()))
        };
        let (file, keys) =
            self.keeper.view().await.and_then(|view| view.unlocked()).map_err(told)?;
        let path = VaultPath::from(name);
        if !file.entries().contains_key(path.as_str()) {
            return Err(refused(format!(
                "the configuration refers to vault:secret/{name}, and the vault holds none: \
                 store it with `aileron secret set {name}`"
            )));
        }
        let value = file.open(&keys, path.as_str()).map_err(|error| told(error.into()))?;
        self.keeper.touch();
        Ok(Secret::new(value.to_vec()))
    }

    async fn replaced(&self, token: &Token) -> bool {
        self.tokens.replaced(&token.binding, token.print).await
    }
}

/// Of several signing keys the one for the region the host names. One alone is used wherever its
/// consent lets it; of several that do not fit all stay, to be named.
fn for_region(found: Vec<Record>, host: &HostPort) -> Vec<Record> {
    let signing = found.iter().all(|record| record.binding.kind == CredentialKind::AwsSigv4);
    let Some(region) = sign::region_of(host).filter(|_| signing && found.len() > 1) else {
        return found;
    };
    let here =
        |record: &&Record| record.binding.region.as_ref().is_some_and(|own| own.as_str() == region);
    let mut fitting = found.iter().filter(here);
    match (fitting.next(), fitting.next()) {
        (Some(record), None) => vec![record.clone()],
        _ => found,
    }
}

/// Of several that fit, the preferred one; where there is none all stay, to be named.
fn by_default(mut found: Vec<Record>) -> Vec<Record> {
    let fitting: Vec<_> = found.iter().map(|record| &record.binding).collect();
    if let Some(name) = Binding::preferred(&fitting).map(|binding| binding.name.clone()) {
        found.retain(|record| record.binding.name == name);
    }
    found
}

/// The consent, when the binding has one that counts.
fn usable(record: &Record, wanted: &CredentialUse) -> Result<Reach, Failure> {
    let Record { binding, form } = record;
    let refused = |message: String| {
        Failure::new(Class::BindingFailed, Boundary::User, message)
            .detail("binding", binding.name.as_str())
            .detail("connector", binding.connector.as_str())
            .detail("capability_kind", binding.kind.text())
            .detail("status", binding.status.text())
    };
    let again = format!("run `aileron binding rebind {}` to confirm it again", binding.name);
    match binding.status {
        BindingStatus::Active => {}
        BindingStatus::Stale => {
            let reason = binding.stale_reason.unwrap_or(StaleReason::Unknown);
            let why = match reason {
                StaleReason::HostsAdded => {
                    "its connector now wants to reach hosts you did not agree to".to_owned()
                }
                StaleReason::ScopeDrift
                | StaleReason::NoGrantRecord
                | StaleReason::RefreshRejected
                | StaleReason::RefreshLost
                | StaleReason::Unknown => format!("it went stale ({reason})"),
            };
            return Err(refused(format!(
                "the binding {} cannot be used: {why}; {again}",
                binding.name
            ))
            .detail("stale_reason", reason.text()));
        }
        BindingStatus::Revoked => {
            return Err(refused(format!("the binding {} was revoked; {again}", binding.name)));
        }
    }
    let Some(hosts) = binding.hosts.clone() else {
        return Err(refused(format!(
            "the binding {} comes from an older vault and says no hosts: its connector has to be \
             installed and the vault unlocked once for it to take them; else {again}",
            binding.name
        )));
    };
    // Bindings of older files were made when the form was the manifest's alone.
    let form = form.clone().unwrap_or_else(|| wanted.form.clone());
    Ok(Reach { hosts, form })
}

fn required(connector: &Fqn, wanted: &CredentialUse, message: String) -> Failure {
    Failure::new(Class::BindingRequired, Boundary::Runtime, message)
        .detail("connector", connector.as_str())
        .detail("capability_kind", wanted.form.kind().text())
        .detail("boundary_detail", "action")
}

/// None fits, or several do.
fn unclear(found: &[Record], connector: &Fqn, wanted: &CredentialUse) -> Failure {
    let candidates: Vec<_> = found.iter().map(|record| record.binding.name.as_str()).collect();
    let message = if candidates.is_empty() {
        format!(
            "{connector} has no {} binding: run `aileron binding setup {connector}`",
            wanted.form.kind()
        )
    } else {
        format!(
            "{connector} has several {} bindings ({}): say whose account with `--identity`, or \
             choose one for good with `aileron binding default NAME`",
            wanted.form.kind(),
            candidates.join(", ")
        )
    };
    required(connector, wanted, message).detail("candidates", candidates)
}

/// The vault itself is not ready.
fn of_vault(error: &Error, connector: &Fqn, wanted: &CredentialUse) -> Failure {
    match error.reason() {
        Reason::VaultLocked | Reason::VaultMissing => required(
            connector,
            wanted,
            format!("{connector} needs a credential: {}", error.public()),
        )
        .detail("required", "vault.passphrase")
        .detail("hint", "unlock the vault and try again"),
        _ => Failure::new(
            Class::BindingFailed,
            Boundary::Runtime,
            format!("the credential of {connector} cannot be read: {}", error.public()),
        )
        .detail("connector", connector.as_str())
        .detail("capability_kind", wanted.form.kind().text())
        .detail("reason", error.reason().code()),
    }
}

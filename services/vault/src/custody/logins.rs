//! Logins: an agent's own, and the person's at services. Handed out as they are stored.

use aileron_contract::{
    Context, Error, Reason, Result, Secret,
    audit::{Actor, Event, EventKind},
    custody::LoginValue,
    limits,
    names::{Login, VaultPath},
};

use crate::{
    file::Metadata,
    keeper::{Changed, Keeper},
};

/// Fits the bounds?
pub(super) fn check(value: &LoginValue) -> Result<()> {
    let LoginValue { value, kind, environment, labels } = value;
    if value.is_empty() {
        return Err(Error::new(Reason::InvalidRequest, "value: a login's bytes must not be none"));
    }
    if value.len() > limits::SECRET {
        return Err(Error::new(
            Reason::BodyTooLarge,
            format!("a login has at most {} bytes (SECRET)", limits::SECRET),
        ));
    }
    let labels: usize =
        labels.iter().map(|(key, value)| key.len().saturating_add(value.len())).sum();
    if labels.saturating_add(kind.len()).saturating_add(environment.len()) > limits::LOGIN_LABELS {
        return Err(Error::new(
            Reason::BodyTooLarge,
            format!(
                "a login's metadata have at most {} bytes (LOGIN_LABELS)",
                limits::LOGIN_LABELS
            ),
        ));
    }
    Ok(())
}

pub(super) async fn put(
    keeper: &Keeper,
    context: &Context,
    login: &Login,
    value: LoginValue,
) -> Result<()> {
    let LoginValue { value, kind, environment, labels } = value;
    let (path, metadata) = (VaultPath::from(login), Metadata { kind, environment, labels });
    keeper
        .change(context, |draft, keys| {
            value.expose(|value| draft.put(keys, path.as_str(), metadata, value))?;
            let event = event(EventKind::CredentialStored, context, &path);
            Ok(Changed { value: (), events: vec![event] })
        })
        .await
}

pub(super) async fn delete(keeper: &Keeper, context: &Context, login: &Login) -> Result<()> {
    let path = VaultPath::from(login);
    keeper
        .change(context, |draft, _| {
            if !draft.remove(path.as_str()) {
                return Err(missing(login));
            }
            let event = event(EventKind::CredentialDeleted, context, &path);
            Ok(Changed { value: (), events: vec![event] })
        })
        .await
}

/// Recorded first: a login that leaves unseen does not leave.
pub(super) async fn export(
    keeper: &Keeper,
    context: &Context,
    login: &Login,
) -> Result<LoginValue> {
    let path = VaultPath::from(login);
    let (file, keys) = keeper.view().await?.unlocked()?;
    let sealed = file.entries().get(path.as_str()).ok_or_else(|| missing(login))?;
    let Metadata { kind, environment, labels } = sealed.metadata.clone();
    let value = Secret::new(file.open(&keys, path.as_str())?.to_vec());
    keeper.record(context, &[event(EventKind::CredentialExported, context, &path)]).await?;
    Ok(LoginValue { value, kind, environment, labels })
}

fn event(kind: EventKind, context: &Context, path: &VaultPath) -> Event {
    Event::new(kind, Actor::of(context)).with("aileron.credential.path", path.as_str())
}

fn missing(login: &Login) -> Error {
    Error::new(Reason::NotFound, format!("the vault holds no login {login}"))
}

//! Whom a person trusts to sign packages.

use std::slice;

use aileron_contract::{
    Context, Error, Reason, Result, audit, limits,
    names::{Authority, Scheme, Sha256Hash},
    publishers::{DistrustRequest, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey},
};

use bytes::Bytes;
use url::Url;

use super::{
    Parts,
    fetch::FetchError,
    hub,
    journal::Change,
    keyring,
    keys::{self, Key},
    pins::Move,
    sources,
};

/// The keyring as it is, believed or not.
pub(super) async fn list(parts: &Parts) -> Result<Keyring> {
    let seen = parts.keyring.look().await?;
    Ok(Keyring {
        keys: keyring::shown(&seen.keys),
        verified: seen.verified,
        path: parts.keyring.path().display().to_string(),
    })
}

/// The key a repository publishes; for an owner, the one its first connector in the Hub names.
pub(super) async fn published(parts: &Parts, authority: Authority) -> Result<PublishedKey> {
    let github = authority.as_str().starts_with(Scheme::Github.text());
    let (key, source) = if authority.is_owner() && github {
        let view = parts.hub.view().await?;
        let (_, url) = hub::keys::of_owner(&view, &parts.sources, &authority)?;
        (fetched(parts, authority.as_str(), url.clone()).await?, url)
    } else {
        let repository = sources::repository(&authority)?;
        let with_token = parts.fetcher.with_token();
        let url = parts.sources.key(&repository, with_token)?;
        let file = if with_token {
            let accept = "application/vnd.github.raw";
            parts.fetcher.api(url.clone(), accept, limits::KEY_FILE).await
        } else {
            parts.fetcher.public(url.clone(), limits::KEY_FILE).await
        };
        (read(authority.as_str(), file)?, url)
    };
    let seen = parts.keyring.look().await;
    let trusted = seen
        .is_ok_and(|seen| seen.verified == Some(true) && seen.keys.of(&authority).contains(&key));
    Ok(PublishedKey {
        authority,
        key,
        fingerprint: keys::fingerprint(&key),
        trusted,
        fetched_at: (parts.clock)(),
        source: source.to_string(),
    })
}

/// The key at an address that `whose` names.
pub(super) async fn fetched(parts: &Parts, whose: &str, url: Url) -> Result<Key> {
    read(whose, parts.fetcher.public(url, limits::KEY_FILE).await)
}

fn read(whose: &str, file: Result<Bytes, FetchError>) -> Result<Key> {
    let file = file.map_err(|error| {
        let advice = "the repository may publish no key (keys/publisher.pub), or be private: set \
                      GH_TOKEN for the daemon, or give the key from a file (--key-file)";
        error.told(Reason::KeyFetchFailed, advice)
    })?;
    keys::parse(&file).map_err(|error| {
        let text = format!("{whose} publishes a key that cannot be used: {}", error.public());
        Error::new(Reason::KeyFetchFailed, text)
    })
}

/// Trusts a key.
pub(super) async fn trust(
    parts: &Parts,
    context: &Context,
    request: TrustRequest,
) -> Result<Trusted> {
    let trusted = trust_all(parts, context, vec![request]).await?.pop();
    trusted.ok_or_else(|| Error::internal("a key was trusted and is not told"))
}

/// Trusts keys: all of them, or none. The log is told before the keyring changes.
pub(super) async fn trust_all(
    parts: &Parts,
    context: &Context,
    requests: Vec<TrustRequest>,
) -> Result<Vec<Trusted>> {
    let _changing = parts.changing.lock().await;
    let (mut keys_now, foreign) = parts.keyring.base().await?;
    let path = parts.keyring.path().display().to_string();
    let (mut trusted, mut events) = (Vec::with_capacity(requests.len()), Vec::new());
    for TrustRequest { authority, key } in requests {
        let key = keys::usable(key)?;
        let added = keys_now.add(authority.clone(), key);
        let key = TrustedKey { authority, key, fingerprint: keys::fingerprint(&key) };
        if added || foreign {
            events.push(told(context, audit::EventKind::KeyringTrusted, &key));
        }
        trusted.push(Trusted { key, already: !added, path: path.clone() });
    }
    change(parts, context, &keys_now, foreign, events).await?;
    Ok(trusted)
}

/// Stops trusting; returns what was removed.
pub(super) async fn distrust(
    parts: &Parts,
    context: &Context,
    request: DistrustRequest,
) -> Result<Vec<TrustedKey>> {
    let _changing = parts.changing.lock().await;
    let (mut keys_now, foreign) = parts.keyring.base().await?;
    let removed = match &request {
        DistrustRequest::Authority(unwanted) => {
            keys_now.remove(|authority, _| authority == unwanted)
        }
        DistrustRequest::Fingerprint(unwanted) => {
            let whole = |key: &Key| Sha256Hash::of(&[key]).to_string();
            keys_now.remove(|_, key| keys::fingerprint(key) == *unwanted || whole(key) == *unwanted)
        }
    };
    let removed: Vec<_> = removed
        .into_iter()
        .map(|(authority, key)| TrustedKey { authority, key, fingerprint: keys::fingerprint(&key) })
        .collect();
    let event = |key| told(context, audit::EventKind::KeyringRevoked, key);
    let events = removed.iter().map(event).collect();
    change(parts, context, &keys_now, foreign, events).await?;
    Ok(removed)
}

/// Makes `keys` the believed ones from the last of `events` on; without any nothing changes. A file that is not ours is kept beside it.
async fn change(
    parts: &Parts,
    context: &Context,
    keys: &keyring::Keys,
    foreign: bool,
    mut events: Vec<audit::Event>,
) -> Result<()> {
    let Some(event) = events.pop() else { return Ok(()) };
    let row = parts.keyring.seal(keys).await?;
    let mut change = Change::new(vec![Move { row, event, enabled: None }]);
    parts.journal.prepare(slice::from_mut(&mut change)).await;
    change.outcome()?;
    for event in events {
        parts.audit.append(context, event).await?;
    }
    parts.journal.tell(context, slice::from_mut(&mut change)).await;
    change.outcome()?;
    if foreign {
        parts.keyring.set_aside((parts.clock)()).await?;
    }
    parts.journal.place(slice::from_mut(&mut change)).await;
    change.outcome()
}

fn told(context: &Context, kind: audit::EventKind, key: &TrustedKey) -> audit::Event {
    audit::Event::new(kind, audit::Actor::of(context))
        .with("aileron.keyring.authority", key.authority.as_str())
        .with("aileron.keyring.fingerprint", key.fingerprint.as_str())
}

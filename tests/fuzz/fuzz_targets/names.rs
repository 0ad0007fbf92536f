//! Names from outside: what is accepted is written as it was read, and cannot climb out of a path.
#![no_main]

use std::{fmt::Display, str::FromStr};

use aileron_contract::{
    Error,
    names::{
        ActionName, AuditId, Authority, BindingName, Fqn, HostPort, Identity, InputName,
        PackageRef, RunId, SecretName, SessionId, Sha256Hash, VaultPath, Version,
    },
};

libfuzzer_sys::fuzz_target!(|raw: &str| {
    for text in [
        exact::<ActionName>(raw),
        exact::<AuditId>(raw),
        exact::<Identity>(raw),
        exact::<InputName>(raw),
        exact::<RunId>(raw),
        exact::<SessionId>(raw),
    ]
    .into_iter()
    .flatten()
    {
        assert!(!text.contains('/') && text != "." && text != "..", "{text:?}");
    }
    let paths = [exact::<BindingName>(raw), exact::<SecretName>(raw), exact::<VaultPath>(raw)];
    for path in paths.into_iter().flatten() {
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
        assert!(path.bytes().all(|c| c.is_ascii_graphic()));
    }
    exact::<Sha256Hash>(raw);
    exact::<Version>(raw);
    exact::<PackageRef>(raw);
    if let Ok(fqn) = raw.parse::<Fqn>() {
        exact::<Fqn>(raw);
        let parts = [fqn.owner(), fqn.repo()].into_iter().chain(fqn.subpath().split('/'));
        assert!(parts.into_iter().all(|part| !matches!(part, "." | "..")));
        assert!(!fqn.owner().is_empty() && !fqn.repo().is_empty());
        let authority = fqn.authority();
        assert_eq!(exact::<Authority>(authority.as_str()).as_deref(), Some(authority.as_str()));
        assert_eq!(authority.repository().map(|it| it.authority()), Some(authority.clone()));
        assert_eq!(fqn.authority().owner(), authority.owner().owner());
    }
    if exact::<Authority>(raw).is_some() {
        let authority: Authority = raw.parse().expect("it was just read");
        assert!(authority.owner().is_owner());
        assert_eq!(authority.is_owner(), authority.repository().is_none());
    }
    if let Ok(host) = raw.parse::<HostPort>() {
        // Hosts are told apart without regard to case: lower case is how they are kept.
        let text = host.to_string();
        assert_eq!(text.parse::<HostPort>().ok().as_ref(), Some(&host), "{text}");
        assert_eq!(HostPort::new(host.host(), host.port()).ok(), Some(host));
    }
});

/// The text of a name that was accepted: the very text that was read.
fn exact<T: FromStr<Err = Error> + Display>(raw: &str) -> Option<String> {
    let text = raw.parse::<T>().ok()?.to_string();
    assert_eq!(text, raw);
    Some(text)
}

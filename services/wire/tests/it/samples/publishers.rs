use aileron_contract::publishers::{
    ActionOffer, Confirmation, ConfirmedKey, ConnectorOffer, DistrustRequest, HubAuthority,
    HubConflict, HubConflictKind, HubCopy, HubDecision, HubEntry, HubFound, HubListing, HubOffer,
    HubProblem, HubRisk, Keyring, PublishedKey, SuiteOffer, TrustRequest, TrustState, Trusted,
    TrustedKey, Wanted,
};

use super::{before_1970, name, packages, text, texts, time};

pub(crate) fn keyring(full: bool) -> Keyring {
    Keyring { keys: keys(full), verified: full.then_some(false), path: "keyring.json".to_owned() }
}

fn key(authority: &str) -> TrustedKey {
    let bytes = std::array::from_fn(|at| u8::try_from(at).unwrap() ^ 0xa5);
    TrustedKey { authority: name(authority), key: bytes, fingerprint: "sha256:f".to_owned() }
}

pub(crate) fn keys(full: bool) -> Vec<TrustedKey> {
    if full { vec![key("github://acme"), key("github://acme/tools")] } else { Vec::new() }
}

pub(crate) fn published_key(full: bool) -> PublishedKey {
    PublishedKey {
        authority: name("github://acme/tools"),
        key: [7; 32],
        fingerprint: String::new(),
        trusted: full,
        fetched_at: time(),
        source: text(full).unwrap_or_default(),
    }
}

pub(crate) fn trust_request(full: bool) -> TrustRequest {
    TrustRequest { authority: name("github://acme"), key: [u8::from(full); 32] }
}

pub(crate) fn trusted(full: bool) -> Trusted {
    Trusted { key: key("github://acme"), already: full, path: String::new() }
}

pub(crate) fn distrust_request(full: bool) -> DistrustRequest {
    if full {
        DistrustRequest::Authority(name("github://acme"))
    } else {
        DistrustRequest::Fingerprint("sha256:f".to_owned())
    }
}

fn entry(offer: HubOffer, full: bool) -> HubEntry {
    let conflict =
        HubConflict { kind: HubConflictKind::Publisher, detail: text(full).unwrap_or_default() };
    HubEntry {
        fqn: name("github://acme/tools"),
        description: text(full).unwrap_or_default(),
        publisher: text(full).unwrap_or_default(),
        offer,
        conflicts: if full { vec![conflict] } else { Vec::new() },
    }
}

fn connector_offer(full: bool) -> HubOffer {
    HubOffer::Connector(ConnectorOffer {
        key_url: text(full).unwrap_or_default(),
        release_pattern: String::new(),
    })
}

pub(crate) fn listing(full: bool) -> HubListing {
    let action = ActionOffer {
        connector: name("github://acme/tools"),
        intents: texts(full),
        category: text(full),
    };
    let suite = SuiteOffer {
        members: vec![name("github://acme/tools/actions/list")],
        connectors: if full { vec![name("github://acme/tools")] } else { Vec::new() },
        category: text(full),
    };
    let entries = vec![
        entry(connector_offer(full), full),
        entry(HubOffer::Action(action), full),
        entry(HubOffer::Suite(suite), full),
    ];
    let problem = HubProblem {
        file: "connectors/x.yaml".to_owned(),
        line: 7,
        message: text(full).unwrap_or_default(),
    };
    HubListing {
        entries,
        problems: if full { vec![problem] } else { Vec::new() },
        copy: copy(full),
    }
}

pub(crate) fn found(full: bool) -> HubFound {
    HubFound { entry: entry(connector_offer(full), full), copy: copy(full) }
}

pub(crate) fn copy(full: bool) -> HubCopy {
    HubCopy {
        source: "https://github.com/acme/hub".to_owned(),
        commit: text(full),
        fetched_at: before_1970(),
        checked_at: time(),
        age_seconds: u64::MAX,
        warning: text(full),
    }
}

pub(crate) fn decision(full: bool) -> HubDecision {
    let authority = HubAuthority {
        connector: name("github://acme/tools"),
        publisher: text(full).unwrap_or_default(),
        fingerprint: "sha256:f".to_owned(),
        trust: if full { TrustState::Conflict } else { TrustState::Unknown },
        footprint: if full { vec![name("github://acme/tools")] } else { Vec::new() },
        risks: if full { HubRisk::ALL.to_vec() } else { Vec::new() },
    };
    HubDecision { entry: entry(connector_offer(full), full), authorities: vec![authority] }
}

pub(crate) fn confirmation(full: bool) -> Confirmation {
    let key = ConfirmedKey {
        connector: name("github://acme/tools"),
        fingerprint: text(full).unwrap_or_default(),
    };
    let wanted = if full {
        Wanted::Connector(packages::connector_request(full))
    } else {
        Wanted::Action(packages::action_request(full))
    };
    Confirmation { wanted, keys: if full { vec![key] } else { Vec::new() } }
}

pub(crate) fn all_trusted(full: bool) -> Vec<Trusted> {
    if full { vec![trusted(true), trusted(false)] } else { Vec::new() }
}

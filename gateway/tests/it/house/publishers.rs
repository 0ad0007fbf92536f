use aileron_contract::{
    Context, Error, Publishers, Reason, Result, Scope,
    names::{Authority, Fqn},
    publishers::{
        ActionOffer, Confirmation, ConnectorOffer, DistrustRequest, HubAuthority, HubConflict,
        HubConflictKind, HubCopy, HubDecision, HubEntry, HubFound, HubKind, HubListing, HubOffer,
        HubProblem, HubQuery, HubRisk, Keyring, PublishedKey, SuiteOffer, TrustRequest, TrustState,
        Trusted, TrustedKey,
    },
};
use async_trait::async_trait;

use super::{World, world::later};

fn trusted(authority: Authority, key: [u8; 32]) -> TrustedKey {
    TrustedKey { authority, key, fingerprint: "sha256:short".to_owned() }
}

#[async_trait]
impl Publishers for World {
    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        self.enter("keyring", context, Scope::KeyringList)?;
        let path = "/home/keyring.json".to_owned();
        Ok(Keyring { keys: Vec::new(), verified: None, path })
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        self.enter("published_key", context, Scope::PackagesPreview)?;
        let TrustedKey { authority, key, fingerprint } = trusted(authority, [9; 32]);
        Ok(PublishedKey {
            authority,
            key,
            fingerprint,
            trusted: false,
            fetched_at: later(),
            source: "https://raw.example/key".to_owned(),
        })
    }

    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted> {
        self.enter("trust", context, Scope::KeyringTrust)?;
        let already = request.key == [0; 32];
        let key = trusted(request.authority, request.key);
        Ok(Trusted { key, already, path: "/home/keyring.json".to_owned() })
    }

    async fn distrust(&self, context: &Context, _: DistrustRequest) -> Result<Vec<TrustedKey>> {
        self.enter("distrust", context, Scope::KeyringTrust)?;
        Ok(Vec::new())
    }
    async fn hub(&self, context: &Context, query: HubQuery) -> Result<HubListing> {
        self.enter("hub", context, Scope::PackagesPreview)?;
        let mut entries = vec![connector(), action(), suite()];
        entries.retain(|entry| query.kind.is_none_or(|kind| kind == entry.kind()));
        entries.retain(|entry| entry.description.contains(query.text.as_deref().unwrap_or("")));
        let problem = HubProblem { file: "suites/x.yaml".into(), line: 3, message: "bad".into() };
        Ok(HubListing { entries, problems: vec![problem], copy: copy() })
    }

    async fn hub_entry(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: Option<HubKind>,
    ) -> Result<HubFound> {
        self.enter("hub_entry", context, Scope::PackagesPreview)?;
        let known = [connector(), action(), suite()].into_iter();
        let mut found = known.filter(|it| it.fqn == fqn && kind.is_none_or(|k| k == it.kind()));
        let entry = found.next().ok_or_else(|| Error::new(Reason::NotFound, "not listed"))?;
        Ok(HubFound { entry, copy: copy() })
    }

    async fn hub_refresh(&self, context: &Context) -> Result<HubCopy> {
        self.enter("hub_refresh", context, Scope::PackagesPreview)?;
        Ok(copy())
    }

    async fn hub_decision(
        &self,
        context: &Context,
        fqn: Fqn,
        kind: HubKind,
    ) -> Result<HubDecision> {
        self.enter("hub_decision", context, Scope::PackagesPreview)?;
        let known = [connector(), action(), suite()].into_iter();
        let mut found = known.filter(|it| it.fqn == fqn && it.kind() == kind);
        let entry = found.next().ok_or_else(|| Error::new(Reason::NotFound, "not listed"))?;
        let authority = HubAuthority {
            connector: connector().fqn,
            publisher: "acme".to_owned(),
            fingerprint: "sha256:short".to_owned(),
            trust: TrustState::Conflict,
            footprint: vec![connector().fqn],
            risks: vec![HubRisk::OtherKey, HubRisk::SoleListing],
        };
        Ok(HubDecision { entry, authorities: vec![authority] })
    }

    async fn confirm(&self, context: &Context, confirmation: Confirmation) -> Result<Vec<Trusted>> {
        self.enter("confirm", context, Scope::KeyringTrust)?;
        if confirmation.keys.iter().any(|key| key.fingerprint != "sha256:short") {
            return Err(Error::new(Reason::FingerprintMismatch, "another key"));
        }
        Ok(Vec::new())
    }
}

fn entry(fqn: &str, offer: HubOffer) -> HubEntry {
    let description = format!("About {fqn}");
    let fqn = fqn.parse().unwrap();
    HubEntry { fqn, description, publisher: "acme".to_owned(), offer, conflicts: Vec::new() }
}

fn connector() -> HubEntry {
    let key_url = "https://raw.example/acme/notes/HEAD/keys/publisher.pub".to_owned();
    let offer = ConnectorOffer { key_url, release_pattern: "v*".to_owned() };
    entry("github://acme/notes", HubOffer::Connector(offer))
}

fn action() -> HubEntry {
    let offer = ActionOffer { connector: connector().fqn, intents: Vec::new(), category: None };
    entry("github://acme/notes/actions/list", HubOffer::Action(offer))
}

fn suite() -> HubEntry {
    let offer = SuiteOffer {
        members: vec![action().fqn],
        connectors: Vec::new(),
        category: Some("notes".to_owned()),
    };
    let conflict = HubConflict {
        kind: HubConflictKind::Duplicate,
        detail: "2 entries are called so".to_owned(),
    };
    let suite = entry("github://acme/notes/suite", HubOffer::Suite(offer));
    HubEntry { conflicts: vec![conflict], ..suite }
}

fn copy() -> HubCopy {
    HubCopy {
        source: "https://github.com/acme/hub".to_owned(),
        commit: Some("a".repeat(40)),
        fetched_at: later(),
        checked_at: later(),
        age_seconds: 7,
        warning: None,
    }
}

//! What another version of an installed connector makes possible, and what it gives up: in
//! requests, because that is what a person can judge.

use std::collections::BTreeMap;

use aileron_contract::{
    Context, Result, Scope,
    bindings::{BindingFilter, BindingStatus},
    credential::{CredentialKind, CredentialNeed},
    names::{BindingName, Fqn, HostPort},
    packages::{Capabilities, CapabilityChange, PossibleRequest},
};

use crate::packages::{Parts, records::ConnectorRecord, verify::VerifiedConnector};

/// Compares with the newest installed version. None when no other version is installed, and when
/// this very one is.
pub(super) async fn of(
    parts: &Parts,
    context: &Context,
    found: &VerifiedConnector,
) -> Result<Option<CapabilityChange>> {
    let mut installed = parts.store.records().await?;
    installed.retain(|record| record.package.fqn == found.package.fqn);
    if installed.iter().any(|record| record.hash == found.hash) {
        return Ok(None);
    }
    installed.sort_by(|a, b| b.package.cmp(&a.package));
    for record in installed {
        match parts.store.read(record.hash).await {
            Ok(loaded) => {
                let before = super::capabilities(&loaded.manifest);
                let bindings = bindings(parts, context, &found.package.fqn).await?;
                let after = super::capabilities(&found.manifest);
                return Ok(Some(compare(record, before, &after, &bindings)));
            }
            // One that cannot be read cannot do anything either.
            Err(error) => tracing::warn!(%error, "a damaged connector is not compared with"),
        }
    }
    Ok(None)
}

/// What could be used with the connector. Only for those who may list bindings anyway.
async fn bindings(
    parts: &Parts,
    context: &Context,
    connector: &Fqn,
) -> Result<Vec<(CredentialKind, BindingName)>> {
    if !context.scopes.contains(Scope::BindingsList) {
        return Ok(Vec::new());
    }
    let filter = BindingFilter { connector: Some(connector.clone()), ..BindingFilter::default() };
    let bindings = parts.bindings.list(&Context::service("executor"), filter).await?;
    let usable = bindings.into_iter().filter(|it| it.status != BindingStatus::Revoked);
    Ok(usable.map(|binding| (binding.kind, binding.name)).collect())
}

fn compare(
    installed: ConnectorRecord,
    before: Capabilities,
    after: &Capabilities,
    bindings: &[(CredentialKind, BindingName)],
) -> CapabilityChange {
    let (old, new) = (reach(&before), reach(after));
    let (old_scopes, new_scopes) = (scopes(&before), scopes(after));
    let missing = |of: &[String], from: &[String]| -> Vec<String> {
        of.iter().filter(|scope| !from.contains(scope)).cloned().collect()
    };
    CapabilityChange {
        from: installed.package.version,
        signer: installed.signer,
        gained: only_in(&new, &old, bindings),
        lost: only_in(&old, &new, bindings),
        gained_scopes: missing(&new_scopes, &old_scopes),
        lost_scopes: missing(&old_scopes, &new_scopes),
        before,
    }
}

/// Where requests may go, and which kind of credential may join them there.
type Requests = BTreeMap<HostPort, Option<CredentialKind>>;

fn reach(capabilities: &Capabilities) -> Requests {
    let kind = capabilities.credential.as_ref().map(CredentialNeed::kind);
    capabilities.hosts.iter().map(|host| (host.clone(), kind)).collect()
}

fn scopes(capabilities: &Capabilities) -> Vec<String> {
    let client = capabilities.credential.as_ref().and_then(|need| need.oauth2.as_ref());
    client.map(|client| client.scopes().to_vec()).unwrap_or_default()
}

/// Requests that are possible with one set and not with the other.
fn only_in(
    one: &Requests,
    other: &Requests,
    bindings: &[(CredentialKind, BindingName)],
) -> Vec<PossibleRequest> {
    let only = one.iter().filter(|(host, credential)| match other.get(host) {
        None => true,
        Some(there) => credential.is_some() && *credential != there,
    });
    only.map(|(host, credential)| {
        let fitting = bindings.iter().filter(|(kind, _)| Some(*kind) == *credential);
        PossibleRequest {
            host: host.clone(),
            credential: *credential,
            bindings: fitting.map(|(_, name)| name.clone()).collect(),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aileron_contract::{
        Timestamp,
        credential::{Form, HeaderTemplate},
        names::Sha256Hash,
    };
    use proptest::prelude::*;

    use super::*;

    fn capabilities(hosts: &[&str], form: Option<Form>) -> Capabilities {
        Capabilities {
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            credential: form.map(|form| CredentialNeed { scope: None, form, oauth2: None }),
        }
    }

    fn key() -> Form {
        Form::ApiKey(HeaderTemplate::default())
    }

    fn changed(before: Capabilities, after: &Capabilities) -> CapabilityChange {
        let record = ConnectorRecord {
            package: "github://acme/notes@1.0.0".parse().unwrap(),
            hash: Sha256Hash::new([1; 32]),
            signer: "sha256:x".to_owned(),
            installed_at: Timestamp::UNIX_EPOCH,
        };
        let bindings = [
            (CredentialKind::ApiKey, "api_key/notes/work".parse().unwrap()),
            (CredentialKind::Basic, "basic/notes/old".parse().unwrap()),
        ];
        compare(record, before, after, &bindings)
    }

    fn shown(requests: &[PossibleRequest]) -> Vec<String> {
        let line = |it: &PossibleRequest| {
            let kind = it.credential.map_or("none", CredentialKind::text);
            let names: Vec<_> = it.bindings.iter().map(ToString::to_string).collect();
            format!("{} {kind} {}", it.host, names.join(" "))
        };
        requests.iter().map(line).collect()
    }

    #[test]
    fn a_new_host_is_a_request_with_the_bindings_that_could_join_it() {
        let before = capabilities(&["a.example:443", "b.example:443"], Some(key()));
        let after = capabilities(&["c.example:443", "a.example:443"], Some(key()));
        let change = changed(before, &after);
        assert_eq!(shown(&change.gained), ["c.example:443 api_key api_key/notes/work"]);
        assert_eq!(shown(&change.lost), ["b.example:443 api_key api_key/notes/work"]);
    }

    #[test]
    fn a_credential_that_is_new_makes_requests_possible_at_every_host() {
        let before = capabilities(&["a.example:443"], None);
        let after = capabilities(&["a.example:443", "b.example:443"], Some(key()));
        let change = changed(before.clone(), &after);
        assert_eq!(change.gained.len(), 2);
        assert!(change.gained.iter().all(|it| it.credential == Some(CredentialKind::ApiKey)));
        assert!(change.lost.is_empty(), "bare requests stay possible");
        let back = changed(after, &before);
        assert_eq!((back.gained.len(), back.lost.len()), (0, 2));
    }

    #[test]
    fn another_kind_of_credential_is_a_gain_and_a_loss() {
        let before = capabilities(&["a.example:443"], Some(key()));
        let after = capabilities(&["a.example:443"], Some(Form::Basic));
        let change = changed(before, &after);
        assert_eq!(shown(&change.gained), ["a.example:443 basic basic/notes/old"]);
        assert_eq!(shown(&change.lost), ["a.example:443 api_key api_key/notes/work"]);
    }

    proptest! {
        #[test]
        fn what_one_version_gains_the_way_back_loses(
            old in proptest::collection::btree_set("[a-e]", 0..5),
            new in proptest::collection::btree_set("[a-e]", 0..5),
            kinds in any::<(bool, bool)>(),
        ) {
            let of = |hosts: &BTreeSet<String>, with: bool| {
                let hosts: Vec<_> = hosts.iter().map(|it| format!("{it}.example:443")).collect();
                let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
                capabilities(&hosts, with.then(key))
            };
            let (before, after) = (of(&old, kinds.0), of(&new, kinds.1));
            let (there, back) = (changed(before.clone(), &after), changed(after.clone(), &before));
            prop_assert_eq!(&there.gained, &back.lost);
            prop_assert_eq!(&there.lost, &back.gained);
            let same = reach(&before) == reach(&after);
            prop_assert_eq!(same, there.gained.is_empty() && there.lost.is_empty());
        }
    }
}

//! A binding, and the consent it is made of.

use crate::{
    Timestamp,
    closed::closed,
    credential::{CredentialKind, Reach, SigningWord},
    names::{BindingName, Fqn, HostPort, Identity},
};

/// What the person agreed to: this connector, this account, these hosts, this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub connector: Fqn,
    pub service: String,
    pub identity: Identity,
    pub account: Option<String>,
    /// Prose of the manifest, shown in lists.
    pub scope: Option<String>,
    pub reach: Reach,
    /// Of a signing key; without it the manifest's counts. With other kinds none.
    pub access_key_id: Option<SigningWord>,
    /// Which of several signing keys is used in which region. With other kinds none.
    pub region: Option<SigningWord>,
    /// Refuse when the binding exists (`binding_exists`) rather than replace it.
    pub refuse_existing: bool,
}

/// What `list` leaves in: all conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindingFilter {
    pub connector: Option<Fqn>,
    pub kind: Option<CredentialKind>,
    pub name: Option<BindingName>,
}

/// A binding as it is listed: labels and consent, never the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub name: BindingName,
    pub connector: Fqn,
    pub kind: CredentialKind,
    pub service: String,
    pub identity: Identity,
    /// A person chose it among the bindings of its connector and kind.
    pub default: bool,
    pub scope: Option<String>,
    pub account: Option<String>,
    pub status: BindingStatus,
    pub stale_reason: Option<StaleReason>,
    /// Are these labels known to be the ones that were sealed? Only keys can tell: not while the
    /// vault is locked, and not in a file of version 1, which seals none.
    pub verified: bool,
    /// The hosts consented to; none on a binding of an older file.
    pub hosts: Option<Vec<HostPort>>,
    /// Of a signing key.
    pub access_key_id: Option<SigningWord>,
    /// Of a signing key.
    pub region: Option<SigningWord>,
    /// What the provider granted; empty when nobody wrote it down, and with static kinds.
    pub granted_scopes: Vec<String>,
    /// What the connector declares and the provider did not grant.
    pub missing_scopes: Vec<String>,
    /// Can an access token that ended be replaced without the person?
    pub refresh_token_present: bool,
    /// New tokens were asked for at this time, and what came of it is not known (yet): a refresh
    /// under way, or one that a crash or a lost answer cut off.
    pub refreshing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When a person last agreed to it: bound it, bound it anew, signed in again, or renewed the
    /// consent. Of older bindings the day they were made.
    pub agreed_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub last_refreshed_at: Option<Timestamp>,
}

impl Binding {
    /// Of bindings of one connector and kind the one that is used where nothing says which: the
    /// only one; of several the one that a person chose, and where nobody did, the one whose
    /// identity is `default`. None where that leaves several, or there is none.
    pub fn preferred<'b>(fitting: &[&'b Self]) -> Option<&'b Self> {
        if let [only] = fitting {
            return Some(only);
        }
        // Two files put together may hold two choices: that is none.
        if fitting.iter().any(|binding| binding.default) {
            return only(fitting.iter().filter(|binding| binding.default));
        }
        only(fitting.iter().filter(|binding| binding.identity.as_str() == "default"))
    }
}

fn only<'a, 'b: 'a>(mut found: impl Iterator<Item = &'a &'b Binding>) -> Option<&'b Binding> {
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

closed! {
    BindingStatus {
        Active = "active",
        Stale = "stale",
        Revoked = "revoked",
    }
}

impl StaleReason {
    /// Is it over once a person agrees to the hosts, with the credential they gave?
    pub const fn ends_with_consent(self) -> bool {
        match self {
            Self::HostsAdded => true,
            Self::ScopeDrift
            | Self::NoGrantRecord
            | Self::RefreshRejected
            | Self::RefreshLost
            | Self::Unknown => false,
        }
    }
}

closed! {
    /// Why a binding is not used until a person sees to it.
    StaleReason {
        /// The connector declares hosts that nobody consented to.
        HostsAdded = "hosts_added",
        /// The connector asks for more than the provider granted.
        ScopeDrift = "scope_drift",
        /// The same, and nobody wrote down what the provider granted.
        NoGrantRecord = "no_grant_record",
        /// The provider said that the refresh token is not valid (any more).
        RefreshRejected = "refresh_rejected",
        /// The same, after an earlier answer got lost that may have replaced it.
        RefreshLost = "refresh_lost",
        /// Another program's word: a file may hold reasons that this version does not know.
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(identity: &str, default: bool) -> Binding {
        Binding {
            name: format!("api_key/notes/{identity}").parse().unwrap(),
            connector: "github://acme/notes".parse().unwrap(),
            kind: CredentialKind::ApiKey,
            service: "notes".to_owned(),
            identity: identity.parse().unwrap(),
            default,
            scope: None,
            account: None,
            status: BindingStatus::Active,
            stale_reason: None,
            verified: true,
            hosts: None,
            access_key_id: None,
            region: None,
            granted_scopes: Vec::new(),
            missing_scopes: Vec::new(),
            refresh_token_present: false,
            refreshing_since: None,
            created_at: Timestamp::UNIX_EPOCH,
            agreed_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
            last_refreshed_at: None,
        }
    }

    #[test]
    fn the_only_one_then_the_chosen_one_then_the_one_called_default_is_preferred() {
        for (identities, preferred) in [
            (&[][..], None),
            (&["work"], Some("work")),
            (&["home", "work"], None),
            (&["default", "home", "work"], Some("default")),
            (&["default", "home*", "work"], Some("home")),
            (&["default*", "home", "work"], Some("default")),
            (&["home*", "work"], Some("home")),
            // Two choices are none, whatever the others are called.
            (&["default", "home*", "work*"], None),
            (&["default*", "home*"], None),
        ] {
            let of = |raw: &&str| binding(raw.trim_end_matches('*'), raw.ends_with('*'));
            let fitting: Vec<_> = identities.iter().map(of).collect();
            let found = Binding::preferred(&fitting.iter().collect::<Vec<_>>());
            let found = found.map(|binding| binding.identity.as_str());
            assert_eq!(found, preferred, "{identities:?}");
        }
    }
}

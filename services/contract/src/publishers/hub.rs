//! What the Hub lists. It points to packages where their publishers keep them, holds none itself,
//! and vouches for nobody: its entries are claims, and claims that contradict each other are
//! marked.

use crate::{Timestamp, closed::closed, names::Fqn};

closed! {
    /// What an entry of the Hub is about.
    HubKind {
        Connector = "connector",
        Action = "action",
        Suite = "suite",
    }
}

/// Which entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubQuery {
    /// None lists all kinds.
    pub kind: Option<HubKind>,
    /// Part of the name or of the description, in any case of letters.
    pub text: Option<String>,
}

/// What the runtime's copy of the Hub says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubListing {
    /// Sorted by name.
    pub entries: Vec<HubEntry>,
    /// Files that are no entries, whatever was asked for: one bad file hides no other.
    pub problems: Vec<HubProblem>,
    pub copy: HubCopy,
}

/// One entry, and the copy it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFound {
    pub entry: HubEntry,
    pub copy: HubCopy,
}

/// One entry as its publisher wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubEntry {
    pub fqn: Fqn,
    pub description: String,
    /// The GitHub account that says to publish it.
    pub publisher: String,
    pub offer: HubOffer,
    /// What does not fit together. Nobody is trusted because of an entry that has some.
    pub conflicts: Vec<HubConflict>,
}

impl HubEntry {
    /// What the entry is about.
    pub const fn kind(&self) -> HubKind {
        match self.offer {
            HubOffer::Connector(_) => HubKind::Connector,
            HubOffer::Action(_) => HubKind::Action,
            HubOffer::Suite(_) => HubKind::Suite,
        }
    }
}

/// What only entries of one kind say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubOffer {
    Connector(ConnectorOffer),
    Action(ActionOffer),
    Suite(SuiteOffer),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorOffer {
    /// Where the publisher's key lies; `https`.
    pub key_url: String,
    /// Which tags are releases, such as `v*`.
    pub release_pattern: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionOffer {
    pub connector: Fqn,
    pub intents: Vec<String>,
    pub category: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteOffer {
    /// One or more, in the publisher's order.
    pub members: Vec<Fqn>,
    /// The connectors its members need: as listed, or taken from its members.
    pub connectors: Vec<Fqn>,
    pub category: Option<String>,
}

/// Something in the Hub that contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConflict {
    pub kind: HubConflictKind,
    /// A sentence that says with what.
    pub detail: String,
}

closed! {
    HubConflictKind {
        /// Another entry has the same name.
        Duplicate = "duplicate_fqn",
        /// The publisher is not the owner that the name says.
        Publisher = "publisher_mismatch",
        /// The key lies outside of the owner's repositories.
        Key = "key_elsewhere",
        /// The connectors a suite lists are not those of its members.
        Connectors = "connectors_mismatch",
        /// A member of a suite is not listed.
        Member = "member_unknown",
    }
}

/// A file of the Hub that is no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubProblem {
    pub file: String,
    /// From 1; 0 when there is none to name.
    pub line: u32,
    pub message: String,
}

/// The runtime's copy of the Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubCopy {
    /// The repository it was fetched from.
    pub source: String,
    /// The repository's state, when its archive names one.
    pub commit: Option<String>,
    pub fetched_at: Timestamp,
    /// When the source last said that it is still this one.
    pub checked_at: Timestamp,
    /// Since `checked_at`.
    pub age_seconds: u64,
    /// Why it is older than it should be.
    pub warning: Option<String>,
}

/// What a person should know before trusting the publishers of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubDecision {
    pub entry: HubEntry,
    /// One per repository whose signature is needed.
    pub authorities: Vec<HubAuthority>,
}

/// A publisher's key as the Hub points to it, beside what is trusted already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubAuthority {
    /// The connector whose entry names the key.
    pub connector: Fqn,
    pub publisher: String,
    pub fingerprint: String,
    pub trust: TrustState,
    /// The publisher's connectors in the Hub.
    pub footprint: Vec<Fqn>,
    pub risks: Vec<HubRisk>,
}

closed! {
    TrustState {
        AlreadyTrusted = "already_trusted",
        Unknown = "unknown",
        /// Another key is trusted for this publisher.
        Conflict = "conflict",
    }
}

closed! {
    /// What speaks against trusting at once.
    HubRisk {
        Duplicate = "duplicate_fqn",
        Publisher = "publisher_mismatch",
        /// Another key is trusted for this publisher.
        OtherKey = "other_key_trusted",
        /// The publisher has nothing else in the Hub.
        SoleListing = "sole_listing",
        /// The runtime's copy of the Hub is older than it should be.
        OutdatedCopy = "outdated_copy",
        /// The vault is locked, or the keyring was changed: what is trusted cannot be told.
        KeyringUnverified = "keyring_unverified",
    }
}

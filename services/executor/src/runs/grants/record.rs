//! One grant as a value: what a person agreed to, how often it was used, and which moves are left.
//! No clock, no table, no log in here.

use aileron_contract::{
    Principal, Timestamp,
    executor::{GrantCaller, GrantRule, GrantState, GrantVoid},
    names::{
        ActionName, BindingName, Fqn, GrantId, HostPort, Identity, PackageRef, Sha256Hash, Version,
    },
};
use serde::{Deserialize, Serialize};

use super::form::{CallerForm, RuleForm, hosts};
use crate::runs::text::{self, optional, plain, principal};

/// A grant. Its text is what the table holds and the vault pins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRecord {
    #[serde(with = "plain")]
    pub(crate) id: GrantId,
    /// Counts the moves: a row is only ever replaced by the one after it.
    pub(crate) version: u32,
    pub(crate) terms: Terms,
    #[serde(with = "plain")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "principal")]
    pub(crate) created_by: Principal,
    /// The number of the last use. Numbers may be missing: what a crash cut off was used.
    pub(crate) used: u32,
    #[serde(with = "optional")]
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) phase: GrantPhase,
}

/// What the person agreed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
    #[serde(with = "plain")]
    pub(crate) action: ActionName,
    #[serde(with = "plain")]
    pub(crate) action_version: Version,
    #[serde(with = "plain")]
    pub(crate) action_hash: Sha256Hash,
    pub(crate) connectors: Vec<TermsConnector>,
    pub(crate) bindings: Vec<TermsBinding>,
    #[serde(with = "optional")]
    pub(crate) identity: Option<Identity>,
    #[serde(with = "CallerForm")]
    pub(crate) caller: GrantCaller,
    pub(crate) arguments: Vec<TermsArgument>,
    pub(crate) max_uses: u32,
    #[serde(with = "plain")]
    pub(crate) expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsConnector {
    #[serde(with = "plain")]
    pub(crate) package: PackageRef,
    #[serde(with = "plain")]
    pub(crate) hash: Sha256Hash,
    pub(crate) operations: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsBinding {
    #[serde(with = "plain")]
    pub(crate) connector: Fqn,
    #[serde(with = "plain")]
    pub(crate) binding: BindingName,
    #[serde(with = "hosts")]
    pub(crate) hosts: Vec<HostPort>,
    /// When a person last agreed to the binding: one bound anew under the same name is another.
    #[serde(with = "plain")]
    pub(crate) agreed_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsArgument {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    #[serde(with = "RuleForm")]
    pub(crate) rule: GrantRule,
}

/// Where the grant stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum GrantPhase {
    Live,
    UsedUp {
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Expired {
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Revoked {
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Void {
        #[serde(with = "plain")]
        at: Timestamp,
        #[serde(with = "plain")]
        why: GrantVoid,
    },
}

/// How a grant comes to its end other than by its uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantEnd {
    Expired,
    Revoked,
    Void(GrantVoid),
}

/// What the log tells of a grant. Rows can be put back to an older day, the log only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The number of the last use.
    pub(crate) used: u32,
    pub(crate) ended: Option<(GrantEnd, Timestamp)>,
}

/// What a live record comes to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may be used, under this number.
    Use(u32),
    /// Not now: the clock shows a time before the grant was made or last used.
    Early,
    /// Every number is taken.
    UsedUp,
    /// The log knows of its end.
    Over(GrantEnd, Timestamp),
    /// Its time is over, and the log does not know yet.
    Expired,
    /// The record has come to its end by itself.
    Ended,
}

/// Why a move is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantRefusal {
    #[error("the grant has ended")]
    Ended,
    #[error("the grant's time is over")]
    Expired,
    #[error("the clock shows a time before the grant was made or last used")]
    Early,
    #[error("the grant has no use of that number")]
    NoSuchUse,
}

impl GrantRecord {
    /// What the record comes to, with what the log tells and what the clock shows.
    pub(crate) fn standing(&self, told: Told, now: Timestamp) -> Standing {
        if self.phase != GrantPhase::Live {
            return Standing::Ended;
        }
        if let Some((end, at)) = told.ended {
            return Standing::Over(end, at);
        }
        if self.expired(now) {
            return Standing::Expired;
        }
        let number = self.used.max(told.used).saturating_add(1);
        if number > self.terms.max_uses {
            return Standing::UsedUp;
        }
        if self.early(now) {
            return Standing::Early;
        }
        Standing::Use(number)
    }

    /// The use of this number: Live → Live, or `UsedUp` with the last one. Numbers only grow.
    pub(crate) fn take(self, number: u32, now: Timestamp) -> Result<Self, GrantRefusal> {
        if self.phase != GrantPhase::Live {
            return Err(GrantRefusal::Ended);
        }
        if self.expired(now) {
            return Err(GrantRefusal::Expired);
        }
        if self.early(now) {
            return Err(GrantRefusal::Early);
        }
        if number <= self.used || number > self.terms.max_uses {
            return Err(GrantRefusal::NoSuchUse);
        }
        let phase = if number == self.terms.max_uses {
            GrantPhase::UsedUp { at: now }
        } else {
            GrantPhase::Live
        };
        Ok(Self { used: number, last_used_at: Some(now), ..self.next(phase) })
    }

    /// Live → `UsedUp`, because the log knows of uses that the record does not.
    pub(crate) fn exhaust(self, now: Timestamp) -> Result<Self, GrantRefusal> {
        if self.phase != GrantPhase::Live {
            return Err(GrantRefusal::Ended);
        }
        let used = self.terms.max_uses;
        Ok(Self { used, ..self.next(GrantPhase::UsedUp { at: now }) })
    }

    /// Live → Expired, Revoked or Void.
    pub(crate) fn end(self, end: GrantEnd, at: Timestamp) -> Result<Self, GrantRefusal> {
        if self.phase != GrantPhase::Live {
            return Err(GrantRefusal::Ended);
        }
        Ok(self.next(match end {
            GrantEnd::Expired => GrantPhase::Expired { at },
            GrantEnd::Revoked => GrantPhase::Revoked { at },
            GrantEnd::Void(why) => GrantPhase::Void { at, why },
        }))
    }

    /// Is its time over?
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        now >= self.terms.expires_at
    }

    fn early(&self, now: Timestamp) -> bool {
        now < self.last_used_at.unwrap_or(self.created_at)
    }

    /// The state's stable name, for the table's index.
    pub(crate) fn state(&self) -> GrantState {
        match self.phase {
            GrantPhase::Live => GrantState::Live,
            GrantPhase::UsedUp { .. } => GrantState::UsedUp,
            GrantPhase::Expired { .. } => GrantState::Expired,
            GrantPhase::Revoked { .. } => GrantState::Revoked,
            GrantPhase::Void { .. } => GrantState::Void,
        }
    }

    /// The text the table holds and the vault pins.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    pub(crate) fn from_text(text: &str) -> serde_json::Result<Self> {
        text::read(text)
    }

    fn next(self, phase: GrantPhase) -> Self {
        Self { version: self.version.saturating_add(1), phase, ..self }
    }
}

#[cfg(test)]
mod model;

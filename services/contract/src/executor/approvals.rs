//! What waits for a person: the card, the decision, and the stream that tells of both.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};

use crate::{
    Error, Reason, Result, Timestamp,
    closed::closed,
    names::{ActionName, Fqn, Identity, RunId, SessionId, Sha256Hash},
};

/// A parked run as the person sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    pub id: RunId,
    pub kind: ApprovalKind,
    pub action: ActionName,
    pub connector: Option<Fqn>,
    pub arguments: Map<String, Value>,
    /// The account that was asked for.
    pub identity: Option<Identity>,
    pub session: Option<SessionId>,
    /// The session was named by somebody whose token is not that session's: whether the agent
    /// asked, nobody knows.
    pub session_named: bool,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    /// What the call would act upon, asked for by the runtime; none when the action has no
    /// preview. Who may not decide learns only that there is one.
    pub preview: Option<Preview>,
    pub input_fields: Vec<Field>,
    pub digest: Sha256Hash,
    /// What a person agreed to before it changed; none when nobody was asked before.
    pub asked_before: Option<AskedBefore>,
}

/// An approval that was given, and taken back because what was shown with it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedBefore {
    /// How often that happened.
    pub times: u32,
    /// What was agreed to the last time.
    pub digest: Sha256Hash,
    /// From what was shown then to what is shown now; none for who may not decide, and none when
    /// both say the same.
    pub changes: Vec<ChangedLine>,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedLine {
    pub change: LineChange,
    /// Bidirectional and invisible characters are escaped.
    pub text: String,
}

closed! {
    /// What became of a line.
    LineChange {
        Kept = "kept",
        Removed = "removed",
        Added = "added",
    }
}

closed! {
    /// What a person is asked for.
    ApprovalKind {
        Action = "action",
        CommsSend = "comms_send",
        CommsDraft = "comms_draft",
        HttpRequest = "http_request",
    }
}

/// The answer of a preview's call, as the card shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// In the order the action's author chose.
    Fields(Vec<Field>),
    /// Why there is none. The approval can be decided all the same.
    Unavailable(String),
}

/// One line of an approval card. Bidirectional and invisible characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub label: String,
    pub value: Option<String>,
    pub missing: bool,
    pub multiline: bool,
}

/// What a person says to an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub approved: bool,
    pub reason: Option<String>,
    /// What the person saw; when given it must be the approval's digest.
    pub digest: Option<Sha256Hash>,
}

/// One event of the stream of approvals.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalEvent {
    /// The stream can be taken up again after this.
    pub position: Position,
    pub change: ApprovalChange,
}

/// What happened to the approvals.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalChange {
    /// All that wait, oldest first: what was known before is replaced.
    Snapshot(Vec<Approval>),
    /// One more waits, or the same one waits again with another digest.
    Pending(Box<Approval>),
    /// One no longer waits.
    Resolved(Resolution),
}

/// How an approval stopped waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub id: RunId,
    pub kind: ApprovalKind,
    pub approved: bool,
    pub reason: Option<String>,
    pub decided_at: Timestamp,
}

/// A place in the stream of approvals: `<16 hex digits>-<number>`. The digits name the start of the
/// runtime it belongs to: what an earlier one told is not continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub epoch: u64,
    pub number: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.number)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let refused = || {
            Error::new(Reason::InvalidRequest, "not the id of an event of the stream of approvals")
        };
        let (epoch, number) = raw.split_once('-').ok_or_else(refused)?;
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_hexdigit());
        if epoch.len() != 16 || !digits(epoch) || !number.bytes().all(|c| c.is_ascii_digit()) {
            return Err(refused());
        }
        Ok(Self {
            epoch: u64::from_str_radix(epoch, 16).map_err(|_| refused())?,
            number: number.parse().map_err(|_| refused())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written_and_nothing_else_is_one() {
        for position in [
            Position { epoch: 0, number: 0 },
            Position { epoch: u64::MAX, number: u64::MAX },
            Position { epoch: 0xab, number: 7 },
        ] {
            assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
        }
        for raw in [
            "",
            "-",
            "7",
            "00000000000000ab",
            "00000000000000ab-",
            "ab-1",
            "-1-1",
            "+00000000000000a-1",
            "00000000000000ab-+1",
            "00000000000000ab-18446744073709551616",
        ] {
            assert!(raw.parse::<Position>().is_err(), "{raw}");
        }
    }
}

//! What is installed and no longer as a person accepted it, and what installed actions lack.

use crate::{
    closed::closed,
    names::{ActionName, PackageRef, Sha256Hash},
    packages::{InstalledConnector, UnboundCapability},
};

/// Something that is not as it was accepted. It is not used until a person accepts it as it is,
/// or installs it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    pub of: DriftOf,
    pub state: DriftState,
    /// The file or folder it is about.
    pub path: String,
    /// What happened, and what to do: a sentence.
    pub message: String,
    /// From what was accepted to what is there now, as a unified diff. Written by whoever wrote
    /// the files: to be escaped before it is shown.
    pub difference: String,
    /// There is more than `difference` holds: the rest stands in the file at `path`.
    pub cut: bool,
    /// What an acceptance names. None when it cannot be accepted as it is.
    pub digest: Option<Sha256Hash>,
}

/// What a drift is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftOf {
    Action(ActionName),
    Connector(PackageRef),
    /// `actions.lock`
    Lock,
}

closed! {
    DriftState {
        /// Nobody accepted it here.
        Unaccepted = "unaccepted",
        /// Its bytes are not those that were accepted.
        Changed = "changed",
        /// The same bytes, which agents are now shown in another way.
        Reworded = "reworded",
        /// Its bytes are not those that were accepted, and not an action either.
        Unreadable = "unreadable",
        /// It is gone.
        Missing = "missing",
        /// The record of its acceptance is not the one the runtime wrote last.
        RecordAltered = "record_altered",
    }
}

/// A person's word that something may stay as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    pub of: DriftOf,
    /// Of the drift that was shown.
    pub digest: Sha256Hash,
}

/// What an acceptance did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// It was as accepted before; nothing changed.
    pub already: bool,
    /// Connectors the action needs that are not installed.
    pub missing: Vec<PackageRef>,
}

/// What the action files ask for, and what of it is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Action files that were read.
    pub actions: u64,
    /// Action files that could not be.
    pub unreadable: u64,
    /// Every connector an action asks for, sorted.
    pub required: Vec<PackageRef>,
    /// Those among them that are installed, and whole.
    pub present: Vec<PackageRef>,
    /// And those that are not.
    pub missing: Vec<MissingConnector>,
    /// Credentials that installed connectors need and nobody has bound, sorted.
    pub unbound: Vec<UnboundCapability>,
}

/// A connector that an action asks for and that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingConnector {
    pub package: PackageRef,
    pub hash: Sha256Hash,
    /// The actions that ask for it.
    pub needed_by: Vec<ActionName>,
    /// Is one of those accepted as it is?
    pub accepted: bool,
}

/// What a synchronisation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    pub installed: Vec<InstalledConnector>,
    pub failures: Vec<InstallFailure>,
    /// How things stand afterwards.
    pub needs: Needs,
}

/// A connector that could not be installed; the others were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallFailure {
    pub package: PackageRef,
    pub error: String,
}

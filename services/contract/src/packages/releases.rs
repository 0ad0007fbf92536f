//! What publishers have released since, and packages that come from a person's own disk.

use bytes::Bytes;

use crate::{
    closed::closed,
    names::{PackageRef, Sha256Hash, Version},
};

/// A connector in use, and what its publisher has released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Installed, or named by an installed action.
    pub connector: PackageRef,
    pub found: Newer,
}

/// What a look at a connector's releases found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newer {
    Known {
        /// Of all releases; none when nothing is published.
        newest: Option<Version>,
        /// Newer than the connector in use, the newest first.
        newer: Vec<Version>,
    },
    /// Its source could not be asked; the sentence says why, and what to do.
    Unknown(String),
}

/// A package as files of the person's own, instead of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalFiles {
    /// An `aileron.tar.gz`.
    Archive(Bytes),
    /// The files such an archive holds.
    Loose(Vec<LocalFile>),
}

/// One file of a package, by the name it has in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    pub name: String,
    pub content: Bytes,
}

/// What a person's files turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPackage {
    pub package: PackageRef,
    pub kind: PackageKind,
    pub hash: Sha256Hash,
}

closed! {
    PackageKind {
        Connector = "connector",
        Action = "action",
    }
}

//! Releases and local packages, field by field.

use aileron_contract::{
    Result,
    packages::{LocalFile, LocalFiles, LocalPackage, Newer, Update},
};
use aileron_proto::executor::v1::{
    self as pb,
    bring_request::Files,
    update::{Found, Known},
};
use bytes::Bytes;

use crate::message::{Wire, messages, must_be_there, read};

messages! {
    Update => pb::Update { connector, found }

    LocalFile => pb::LocalFile { name, content }

    LocalPackage => pb::LocalPackage { package, kind, hash }
}

impl Wire<Found> for Newer {
    fn into_wire(self) -> Found {
        match self {
            Self::Known { newest, newer } => {
                Found::Known(Known { newest: newest.into_wire(), newer: newer.into_wire() })
            }
            Self::Unknown(why) => Found::Unknown(why),
        }
    }

    fn from_wire(found: Found, field: &'static str) -> Result<Self> {
        Ok(match found {
            Found::Known(Known { newest, newer }) => {
                Self::Known { newest: read(newest, field)?, newer: read(newer, field)? }
            }
            Found::Unknown(why) => Self::Unknown(why),
        })
    }
}

impl Wire<Files> for LocalFiles {
    fn into_wire(self) -> Files {
        match self {
            Self::Archive(archive) => Files::Archive(archive),
            Self::Loose(files) => Files::Loose(pb::LooseFiles { files: files.into_wire() }),
        }
    }

    fn from_wire(files: Files, field: &'static str) -> Result<Self> {
        Ok(match files {
            Files::Archive(archive) => Self::Archive(archive),
            Files::Loose(pb::LooseFiles { files }) => Self::Loose(read(files, field)?),
        })
    }
}

must_be_there!(Newer => Found, LocalFiles => Files);

/// Handed on without copying.
impl Wire<Self> for Bytes {
    fn into_wire(self) -> Self {
        self
    }

    fn from_wire(bytes: Self, _field: &'static str) -> Result<Self> {
        Ok(bytes)
    }
}

//! The types of the vault's contract, field by field.

use aileron_contract::{
    Result,
    vault::{Entry, EntryFilter, Older, Pin, Status, Writing},
};
use aileron_proto::vault::v1 as pb;

use crate::message::{Wire, messages, read};

messages! {
    Status => pb::Status { state, format, generation, recovery_key }

    EntryFilter => pb::EntryFilter { prefix, include_control_plane }

    Entry => pb::Entry { path, scope, kind, environment, labels }

    Older => pb::Older { present, last, same_vault }

    Writing => pb::Writing { generation, at }
}

impl Wire<Vec<u8>> for Pin {
    fn into_wire(self) -> Vec<u8> {
        let Self(bytes) = self;
        bytes.into_wire()
    }

    fn from_wire(bytes: Vec<u8>, field: &'static str) -> Result<Self> {
        read(bytes, field).map(Self)
    }
}

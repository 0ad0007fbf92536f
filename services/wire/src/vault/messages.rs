//! The types of the vault's contract, field by field.

use aileron_contract::{
    Result,
    credential::Reach,
    names::HostPort,
    vault::{Binding, BindingFilter, Consent, Entry, EntryFilter, Pin, Status},
};
use aileron_proto::{common::v1 as common, vault::v1 as pb};

use crate::message::{Wire, messages, read};

messages! {
    Status => pb::Status { state, format, generation, recovery_key }

    EntryFilter => pb::EntryFilter { prefix, include_control_plane }

    Entry => pb::Entry { path, scope, kind, environment, labels }

    Reach => pb::Reach { hosts, form }

    Consent => pb::Consent {
        connector, service, identity, account, scope, reach, access_key_id, region,
        refuse_existing,
    }

    BindingFilter => pb::BindingFilter { connector, kind, name }

    Binding => pb::Binding {
        name, connector, kind, service, identity, default, scope, account, status, stale_reason,
        hosts, access_key_id, region, granted_scopes, missing_scopes, refresh_token_present,
        refreshing_since, created_at, last_used_at, last_refreshed_at,
    }
}

/// A list that may be absent, which is not the same as empty.
impl Wire<common::Hosts> for Vec<HostPort> {
    fn into_wire(self) -> common::Hosts {
        common::Hosts { items: self.into_wire() }
    }

    fn from_wire(hosts: common::Hosts, field: &'static str) -> Result<Self> {
        let common::Hosts { items } = hosts;
        read(items, field)
    }
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

//! Domain types of the vault's contract and their messages.

use aileron_contract::{
    Result,
    credential::Reach,
    vault::{Binding, BindingFilter, Consent, Entry, EntryFilter, Pin, Status},
};
use aileron_proto::{common::v1 as common, vault::v1 as pb};

use crate::{
    failure::{template_from_wire, template_to_wire},
    values::{
        bytes32_from_wire, parsed, parsed_if, parsed_list, required, text_if, texts,
        timestamp_from_wire, timestamp_if, timestamp_to_wire,
    },
};

pub(super) fn status_to_wire(status: Status) -> pb::Status {
    let Status { state, format, generation } = status;
    pb::Status { state: state.to_string(), format, generation }
}

pub(super) fn status_from_wire(status: Option<pb::Status>) -> Result<Status> {
    let pb::Status { state, format, generation } = required(status, "status")?;
    Ok(Status { state: parsed(state)?, format, generation })
}

pub(super) fn entry_filter_to_wire(filter: EntryFilter) -> pb::EntryFilter {
    let EntryFilter { prefix, include_control_plane } = filter;
    pb::EntryFilter { prefix, include_control_plane }
}

pub(super) fn entry_filter_from_wire(filter: Option<pb::EntryFilter>) -> Result<EntryFilter> {
    let pb::EntryFilter { prefix, include_control_plane } = required(filter, "filter")?;
    Ok(EntryFilter { prefix, include_control_plane })
}

pub(super) fn entry_to_wire(entry: Entry) -> pb::Entry {
    let Entry { path, scope, kind, environment, labels } = entry;
    pb::Entry { path: path.to_string(), scope: scope.to_string(), kind, environment, labels }
}

pub(super) fn entry_from_wire(entry: pb::Entry) -> Result<Entry> {
    let pb::Entry { path, scope, kind, environment, labels } = entry;
    Ok(Entry { path: parsed(path)?, scope: parsed(scope)?, kind, environment, labels })
}

fn reach_to_wire(reach: Reach) -> pb::Reach {
    let Reach { hosts, template } = reach;
    pb::Reach { hosts: texts(hosts), template: Some(template_to_wire(&template)) }
}

fn reach_from_wire(reach: Option<pb::Reach>) -> Result<Reach> {
    let pb::Reach { hosts, template } = required(reach, "reach")?;
    Ok(Reach { hosts: parsed_list(hosts)?, template: template_from_wire(template)? })
}

pub(super) fn consent_to_wire(consent: Consent) -> pb::Consent {
    let Consent { connector, kind, service, identity, account, scope, reach, refuse_existing } =
        consent;
    pb::Consent {
        connector: connector.to_string(),
        kind: kind.to_string(),
        service,
        identity: identity.to_string(),
        account,
        scope,
        reach: Some(reach_to_wire(reach)),
        refuse_existing,
    }
}

pub(super) fn consent_from_wire(consent: Option<pb::Consent>) -> Result<Consent> {
    let pb::Consent { connector, kind, service, identity, account, scope, reach, refuse_existing } =
        required(consent, "consent")?;
    Ok(Consent {
        connector: parsed(connector)?,
        kind: parsed(kind)?,
        service,
        identity: parsed(identity)?,
        account,
        scope,
        reach: reach_from_wire(reach)?,
        refuse_existing,
    })
}

pub(super) fn binding_filter_to_wire(filter: BindingFilter) -> pb::BindingFilter {
    let BindingFilter { connector, kind, name } = filter;
    pb::BindingFilter { connector: text_if(connector), kind: text_if(kind), name: text_if(name) }
}

pub(super) fn binding_filter_from_wire(filter: Option<pb::BindingFilter>) -> Result<BindingFilter> {
    let pb::BindingFilter { connector, kind, name } = required(filter, "filter")?;
    Ok(BindingFilter {
        connector: parsed_if(connector)?,
        kind: parsed_if(kind)?,
        name: parsed_if(name)?,
    })
}

pub(super) fn binding_to_wire(binding: Binding) -> pb::Binding {
    let Binding {
        name,
        connector,
        kind,
        service,
        identity,
        scope,
        account,
        status,
        stale_reason,
        hosts,
        created_at,
        last_used_at,
        last_refreshed_at,
    } = binding;
    pb::Binding {
        name: name.to_string(),
        connector: connector.to_string(),
        kind: kind.to_string(),
        service,
        identity: identity.to_string(),
        scope,
        account,
        status: status.to_string(),
        stale_reason,
        hosts: hosts.map(|hosts| common::Hosts { items: texts(hosts) }),
        created_at: Some(timestamp_to_wire(created_at)),
        last_used_at: last_used_at.map(timestamp_to_wire),
        last_refreshed_at: last_refreshed_at.map(timestamp_to_wire),
    }
}

pub(super) fn binding_from_wire(binding: pb::Binding) -> Result<Binding> {
    let pb::Binding {
        name,
        connector,
        kind,
        service,
        identity,
        scope,
        account,
        status,
        stale_reason,
        hosts,
        created_at,
        last_used_at,
        last_refreshed_at,
    } = binding;
    Ok(Binding {
        name: parsed(name)?,
        connector: parsed(connector)?,
        kind: parsed(kind)?,
        service,
        identity: parsed(identity)?,
        scope,
        account,
        status: parsed(status)?,
        stale_reason,
        hosts: hosts.map(|common::Hosts { items }| parsed_list(items)).transpose()?,
        created_at: timestamp_from_wire(created_at, "binding.created_at")?,
        last_used_at: timestamp_if(last_used_at, "binding.last_used_at")?,
        last_refreshed_at: timestamp_if(last_refreshed_at, "binding.last_refreshed_at")?,
    })
}

pub(super) fn pin_to_wire(pin: Pin) -> Vec<u8> {
    let Pin(bytes) = pin;
    bytes.to_vec()
}

pub(super) fn pin_from_wire(bytes: Vec<u8>) -> Result<Pin> {
    bytes32_from_wire(bytes, "pin").map(Pin)
}

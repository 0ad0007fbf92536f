//! A door for fuzzing: messages as whoever holds the service token may send them.

use aileron_contract::{
    Context, Principal, access, audit, bindings, egress, executor, failure::Failure, packages,
    publishers, vault,
};
use aileron_proto::{
    audit::v1 as audit_pb, common::v1 as common_pb, egress::v1 as egress_pb,
    executor::v1 as executor_pb, vault::v1 as vault_pb,
};
use prost::Message;

use crate::message::{Wire, read};

/// Reads `bytes` as one of the contracts' messages; `kind` says which. False when a message that is
/// accepted would mean something else once it is sent on.
pub fn means_the_same(kind: u8, bytes: &[u8]) -> bool {
    let checks: &[fn(&[u8]) -> bool] = &[
        same::<Context, common_pb::Context>,
        same::<Principal, common_pb::Principal>,
        same::<Failure, common_pb::Failure>,
        same::<access::Opened, vault_pb::OpenSessionResponse>,
        same::<access::Minted, vault_pb::MintResponse>,
        same::<access::Caller, vault_pb::AuthenticateResponse>,
        same::<bindings::Begun, vault_pb::BeginSetupResponse>,
        same::<bindings::Finished, vault_pb::FinishSetupResponse>,
        same::<bindings::Landed, vault_pb::CallbackResponse>,
        same::<bindings::Revoked, vault_pb::RevokeBindingResponse>,
        same::<audit::Event, audit_pb::Event>,
        same::<audit::Record, audit_pb::Record>,
        same::<audit::Filter, audit_pb::Filter>,
        same::<egress::CredentialUse, egress_pb::CredentialUse>,
        same::<egress::SendFailure, egress_pb::SendFailure>,
        same::<executor::Action, executor_pb::Action>,
        same::<executor::Run, executor_pb::Run>,
        same::<executor::RunFilter, executor_pb::RunFilter>,
        same::<executor::Approval, executor_pb::Approval>,
        same::<executor::Started, executor_pb::RunResponse>,
        same::<packages::ConnectorPreview, executor_pb::ConnectorPreview>,
        same::<packages::ActionPreview, executor_pb::ActionPreview>,
        same::<packages::InstalledAction, executor_pb::InstalledAction>,
        same::<publishers::Keyring, executor_pb::Keyring>,
        same::<publishers::PublishedKey, executor_pb::PublishedKey>,
        same::<publishers::HubListing, executor_pb::HubListing>,
        same::<publishers::HubDecision, executor_pb::HubDecision>,
        same::<vault::Entry, vault_pb::Entry>,
        same::<vault::Older, vault_pb::Older>,
        same::<bindings::Consent, vault_pb::Consent>,
        same::<bindings::Binding, vault_pb::Binding>,
    ];
    let chosen = usize::from(kind).checked_rem(checks.len()).and_then(|at| checks.get(at));
    chosen.is_none_or(|check| check(bytes))
}

fn same<T: Wire<M>, M: Message + Default + Clone + PartialEq>(bytes: &[u8]) -> bool {
    let value = |message: M| read::<T, M>(message, "message").ok();
    let Some(first) = M::decode(bytes).ok().and_then(value) else { return true };
    let sent = first.into_wire();
    value(sent.clone()).is_some_and(|again| again.into_wire() == sent)
}

//! A consent given anew, for a value that stays: the connector wants to reach further hosts.

use aileron_contract::{
    Context, Error, Reason, Result,
    audit::EventKind,
    bindings::{Binding, BindingStatus, Consent},
    credential::Form,
    names::BindingName,
};

use super::binding_event;
use crate::{
    binding::{self, AGREED, HOSTS, Record, STALE_REASON, STATUS},
    keeper::{Changed, Keeper},
};

pub(super) async fn agree(
    keeper: &Keeper,
    context: &Context,
    consent: &Consent,
) -> Result<Binding> {
    let kind = consent.reach.form.kind();
    let name = BindingName::new(kind.text(), &consent.service, &consent.identity)?;
    let hosts = binding::agreed(&consent.reach.hosts)?;
    let now = (keeper.clock)();
    keeper
        .change(context, |draft, keys| {
            let record = binding::present(draft.entries(), &name)?;
            keepable(&record, consent)?;
            let earlier = record.binding.hosts.clone().unwrap_or_default();
            let added: Vec<_> =
                hosts.iter().filter(|host| !earlier.contains(host)).cloned().collect();
            let binding = Binding {
                status: BindingStatus::Active,
                stale_reason: None,
                verified: true,
                hosts: Some(hosts.clone()),
                agreed_at: now,
                ..record.binding
            };
            if record.binding.status == BindingStatus::Active && earlier == hosts {
                let value = Binding { agreed_at: record.binding.agreed_at, ..binding };
                return Ok(Changed { value, events: Vec::new() });
            }
            draft.relabel(keys, name.as_str(), |metadata| {
                let labels = &mut metadata.labels;
                labels.insert(HOSTS.to_owned(), binding::host_label(&hosts));
                labels.insert(STATUS.to_owned(), BindingStatus::Active.to_string());
                labels.insert(AGREED.to_owned(), now.to_string());
                labels.remove(STALE_REASON);
            })?;
            let event = binding_event(EventKind::BindingConsented, context, &binding)
                .with("aileron.binding.hosts", binding::host_label(&hosts))
                .with("aileron.binding.added_hosts", binding::host_label(&added));
            Ok(Changed { value: binding, events: vec![event] })
        })
        .await
}

/// May the value stay under this consent?
fn keepable(record: &Record, consent: &Consent) -> Result<()> {
    let Record { binding, form } = record;
    let name = &binding.name;
    let refused = |reason, public| Err(Error::new(reason, public));
    if binding.connector != consent.connector {
        let public = format!("{name} belongs to another connector, choose another identity");
        return refused(Reason::BindingExists, public);
    }
    if matches!(consent.reach.form, Form::Oauth2) {
        let public = format!("{name} comes from a provider: sign in again");
        return refused(Reason::UnsupportedKind, public);
    }
    if form.as_ref().is_some_and(|form| *form != consent.reach.form) {
        let public = format!(
            "the connector now sends the credential in another form than {name} was bound for: \
             bind it again, with its value"
        );
        return refused(Reason::ConsentChanged, public);
    }
    let other = binding.stale_reason.filter(|reason| !reason.ends_with_consent());
    match (binding.status, other) {
        (BindingStatus::Active, _) | (BindingStatus::Stale, None) => Ok(()),
        (BindingStatus::Stale | BindingStatus::Revoked, _) => {
            let public = format!("{name} is {}: bind it again, with its value", binding.status);
            refused(Reason::InvalidRequest, public)
        }
    }
}

//! A credential that the person has at hand, sealed together with the consent.

use aileron_contract::{
    Context, Error, Reason, Result, Secret,
    audit::EventKind,
    bindings::{Binding, Consent},
    credential::Form,
    names::BindingName,
};

use super::binding_event;
use crate::{
    binding::{self, Record},
    egress::inject,
    keeper::{Changed, Keeper},
    vault::sized,
};

/// What egress could not join is refused before it is sealed: a line feed, half a password.
pub(super) fn check(form: &Form, value: &Secret) -> Result<()> {
    sized(value)?;
    if matches!(form, Form::Oauth2) {
        return Err(Error::new(
            Reason::UnsupportedKind,
            "a token is not pasted: bindings of kind oauth2 are made by signing in",
        ));
    }
    value.expose(|value| inject::check(form, value)).map_err(|reason| {
        let kind = form.kind();
        let public = format!("this is no credential of kind {kind}: {reason}; check the paste");
        Error::new(Reason::InvalidRequest, public)
    })
}

pub(super) async fn bind(
    keeper: &Keeper,
    context: &Context,
    consent: &Consent,
    value: Secret,
) -> Result<Binding> {
    let now = (keeper.clock)();
    keeper
        .change(context, |draft, keys| {
            let kind = consent.reach.form.kind();
            let name = BindingName::new(kind.text(), &consent.service, &consent.identity)?;
            let earlier = binding::earlier(draft.entries(), &name)?;
            let record = Record::new(consent, earlier.as_ref(), now)?;
            let metadata = record.metadata();
            value.expose(|value| draft.put(keys, name.as_str(), metadata, value))?;
            let kind = if earlier.is_some() {
                EventKind::BindingRebound
            } else {
                EventKind::BindingCreated
            };
            let event = binding_event(kind, context, &record.binding).with(
                "aileron.binding.hosts",
                binding::host_label(record.binding.hosts.as_deref().unwrap_or_default()),
            );
            Ok(Changed { value: record.binding, events: vec![event] })
        })
        .await
}

//! The person's choice among several bindings that fit.

use aileron_contract::{
    Context, Result,
    audit::EventKind,
    bindings::{Binding, BindingFilter},
    names::BindingName,
};

use super::binding_event;
use crate::{
    binding::{self, DEFAULT, Record},
    keeper::{Changed, Keeper},
};

/// One per connector and kind: an earlier choice ends with the same write.
pub(super) async fn set_default(
    keeper: &Keeper,
    context: &Context,
    name: &BindingName,
) -> Result<Binding> {
    keeper
        .change(context, |draft, keys| {
            let record = binding::present(draft.entries(), name)?;
            let chosen = Binding { verified: true, ..record.binding };
            let filter = BindingFilter {
                connector: Some(chosen.connector.clone()),
                kind: Some(chosen.kind),
                name: None,
            };
            let mut earlier = Vec::new();
            for Record { binding, form: _ } in binding::select(draft.entries(), &filter) {
                if binding.default && binding.name != *name {
                    draft.relabel(keys, binding.name.as_str(), |metadata| {
                        metadata.labels.remove(DEFAULT);
                    })?;
                    earlier.push(binding.name.to_string());
                }
            }
            if chosen.default && earlier.is_empty() {
                return Ok(Changed { value: chosen, events: Vec::new() });
            }
            draft.relabel(keys, name.as_str(), |metadata| {
                metadata.labels.insert(DEFAULT.to_owned(), "true".to_owned());
            })?;
            let earlier = (!earlier.is_empty()).then(|| earlier.join(" "));
            let event = binding_event(EventKind::BindingDefaultChosen, context, &chosen)
                .with("aileron.binding.earlier", earlier);
            Ok(Changed { value: Binding { default: true, ..chosen }, events: vec![event] })
        })
        .await
}

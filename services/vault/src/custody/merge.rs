//! Taking over an export: all of it in one write, or nothing.

use aileron_contract::{
    Context, Error, Reason, Result,
    audit::{Actor, Event, EventKind},
    custody::Imported,
};

use super::portable::{Contents, Plain};
use crate::{
    file::{Metadata, v2::VOLATILE},
    keeper::{Changed, Keeper},
};

/// Conflicts named in a refusal; more than a person reads are counted.
const SHOWN: usize = 20;

pub(super) async fn into(
    keeper: &Keeper,
    context: &Context,
    contents: Contents,
    replace: bool,
) -> Result<Imported> {
    keeper
        .change(context, |draft, keys| {
            let mut done = Imported { added: 0, replaced: 0, unchanged: 0 };
            let mut conflicts = Vec::new();
            for (path, Plain { metadata, value }) in &contents.entries {
                match draft.entries().get(path).map(|entry| entry.metadata.clone()) {
                    None => done.added += 1,
                    Some(present)
                        if same(&present, metadata) && *draft.open(keys, path)? == *value =>
                    {
                        done.unchanged += 1;
                        continue;
                    }
                    Some(_) if replace => done.replaced += 1,
                    Some(_) => {
                        conflicts.push(path.as_str());
                        continue;
                    }
                }
                draft.put(keys, path, metadata.clone(), value)?;
            }
            if !conflicts.is_empty() {
                return Err(conflict(&conflicts));
            }
            if done.added + done.replaced == 0 {
                return Ok(Changed { value: done, events: Vec::new() });
            }
            let event = Event::new(EventKind::VaultImported, Actor::of(context))
                .with("aileron.vault.added", done.added)
                .with("aileron.vault.replaced", done.replaced)
                .with("aileron.vault.unchanged", done.unchanged);
            Ok(Changed { value: done, events: vec![event] })
        })
        .await
}

/// When a credential was last used makes no difference.
fn same(left: &Metadata, right: &Metadata) -> bool {
    let decisive = |metadata: &Metadata| {
        let mut metadata = metadata.clone();
        metadata.labels.retain(|label, _| !VOLATILE.contains(&label.as_str()));
        metadata
    };
    decisive(left) == decisive(right)
}

fn conflict(paths: &[&str]) -> Error {
    let shown = paths.get(..SHOWN).unwrap_or(paths);
    Error::new(
        Reason::ImportConflict,
        format!(
            "the vault has {} of the file's entries with other values or labels ({}{}): nothing \
             was taken over; let the file win, or delete them first",
            paths.len(),
            shown.join(", "),
            if paths.len() > shown.len() { ", …" } else { "" },
        ),
    )
    .with_details(serde_json::json!({ "paths": shown, "conflicts": paths.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_in_between_is_no_conflict_and_another_consent_is() {
        let labelled = |labels: &[(&str, &str)]| Metadata {
            labels: labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            ..Metadata::default()
        };
        let exported = labelled(&[("hosts", "a.example:443")]);
        let used = labelled(&[("hosts", "a.example:443"), ("last_used_at", "1800000000")]);
        let wider = labelled(&[("hosts", "a.example:443 b.example:443")]);
        assert!(same(&exported, &used) && !same(&exported, &wider));
        assert!(!same(&exported, &Metadata { kind: "api_key".to_owned(), ..exported.clone() }));
    }
}

//! What a list of the vault shows.

use aileron_contract::{
    names::{BindingName, VaultPath},
    vault::{Entry, EntryFilter, EntryScope},
};

use crate::file::Entries;

/// The entries that match, by path; never a value.
pub(super) fn select(entries: &Entries, filter: &EntryFilter) -> Vec<Entry> {
    let EntryFilter { prefix, include_control_plane } = filter;
    let shown = |entry: &Entry| {
        let path = entry.path.as_str();
        let control = matches!(entry.scope, EntryScope::ConnectedAccount | EntryScope::LlmConfig);
        prefix.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
            && (*include_control_plane || !control)
    };
    entries
        .iter()
        .filter_map(|(path, sealed)| {
            let path: VaultPath = path.parse().ok()?;
            Some(Entry {
                scope: scope(&path),
                kind: sealed.metadata.kind.clone(),
                environment: sealed.metadata.environment.clone(),
                labels: sealed.metadata.labels.clone(),
                path,
            })
        })
        .filter(shown)
        .collect()
}

/// The published order matters: an agent's path also has the shape of a binding.
fn scope(path: &VaultPath) -> EntryScope {
    let text = path.as_str();
    let segments = text.split('/').count();
    match text.split('/').next() {
        Some("connected-accounts") => EntryScope::ConnectedAccount,
        Some("llm-config") => EntryScope::LlmConfig,
        Some("secret") => EntryScope::Secret,
        Some("agents") if segments == 3 => EntryScope::Agent,
        Some("user") if segments == 2 => EntryScope::User,
        _ if text.parse::<BindingName>().is_ok() => EntryScope::Binding,
        _ => EntryScope::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Metadata, Sealed};

    fn entries() -> Entries {
        [
            "connected-accounts/a/b",
            "llm-config/x",
            "secret/a/b/c",
            "agents/claude/oauth",
            "agents/claude",
            "user/github",
            "api_key/linear/team",
            "_own/x/y",
            "not a path",
        ]
        .map(|path| {
            (path.to_owned(), Sealed { envelope: Vec::new(), metadata: Metadata::default() })
        })
        .into()
    }

    #[test]
    fn entries_are_classified_in_the_published_order() {
        let all = EntryFilter { prefix: None, include_control_plane: true };
        let found: Vec<_> = select(&entries(), &all)
            .into_iter()
            .map(|entry| (entry.path.to_string(), entry.scope.text()))
            .collect();
        let found: Vec<_> = found.iter().map(|(path, scope)| (path.as_str(), *scope)).collect();
        assert_eq!(
            found,
            [
                ("_own/x/y", "other"),
                ("agents/claude", "other"),
                ("agents/claude/oauth", "agent"),
                ("api_key/linear/team", "binding"),
                ("connected-accounts/a/b", "connected-account"),
                ("llm-config/x", "llm-config"),
                ("secret/a/b/c", "secret"),
                ("user/github", "user"),
            ]
        );
    }

    #[test]
    fn the_control_plane_is_shown_on_request_only_and_prefixes_narrow() {
        let shown = select(&entries(), &EntryFilter::default());
        assert!(shown.iter().all(|entry| !entry.path.as_str().starts_with("llm-config")));
        let filter = EntryFilter { prefix: Some("secret/".to_owned()), ..EntryFilter::default() };
        assert_eq!(select(&entries(), &filter).len(), 1);
    }
}

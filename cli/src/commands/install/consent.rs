//! What a person is told of actions before they are installed, and what they are asked.

use std::collections::{BTreeMap, BTreeSet};

use aileron_api::packages::{ActionPreview, ConnectorDependency};

use super::{Choices, trust::authority_of};
use crate::{
    commands::keyring,
    failure::{Failure, Result},
    printer::{Printer, one_line},
    terminal,
};

/// Operations of one connector that are shown by name; a generated suite has hundreds.
const SHOWN: usize = 24;

pub(super) fn refuse_takeover(preview: &ActionPreview, force: bool) -> Result<()> {
    let Some(existing) = &preview.existing else { return Ok(()) };
    let source = existing.source.rsplit_once('@').map_or(&*existing.source, |(fqn, _)| fqn);
    if source != preview.fqn {
        return Err(Failure::plain(format!(
            "the name {} belongs to {source}, and {} does not take it over: if that is what you \
             want, move {} away first",
            preview.name, preview.fqn, existing.path
        )));
    }
    if force {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "an action named {} is installed from {} ({}); say --force to replace it",
        preview.name, existing.source, existing.version
    )))
}

/// May it be installed although nobody signed it? A question of its own, which `--yes` does not
/// answer.
pub(super) fn agree_to_unsigned(
    printer: Printer,
    preview: &ActionPreview,
    choices: Choices,
) -> Result<bool> {
    if preview.already_installed || preview.signature_status.as_deref() != Some("unsigned") {
        return Ok(false);
    }
    printer
        .say(format!("The action {} is not signed: anybody could have written it.", preview.name));
    let signer = preview.existing.as_ref().and_then(|existing| existing.fingerprint.as_ref());
    if let Some(signer) = signer {
        printer.say(format!("  The one it replaces was signed with {signer}."));
    }
    if choices.accept_unsigned {
        return Ok(true);
    }
    if choices.yes {
        return Err(Failure::plain(
            "--yes does not answer for an action that nobody signed: read it, and say \
             --accept-unsigned if you want it all the same",
        ));
    }
    all_the_same(printer, false).map(|()| true)
}

/// Says which operations of which connectors the actions may call.
pub(super) fn show_calls(printer: Printer, previews: &[&ActionPreview]) {
    let mut calls: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let new = previews.iter().filter(|preview| !preview.already_installed);
    for needed in new.flat_map(|preview| &preview.connector_deps) {
        let operations = calls.entry(named(needed)).or_default();
        operations.extend(needed.capabilities.iter().map(String::as_str));
    }
    if calls.is_empty() {
        return;
    }
    printer.say("What is installed may call:");
    for (connector, operations) in calls {
        printer.say(format!("  {connector}: {}", listed(&operations)));
    }
}

/// May calls that wait for the person run without asking from now on?
pub(super) fn agree_to_losing_approval(
    printer: Printer,
    previews: &[&ActionPreview],
    yes: bool,
) -> Result<()> {
    let names: Vec<_> = previews.iter().map(|preview| preview.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    printer.say(one_line(&format!(
        "Calls of {} wait for your approval so far. The new version runs without asking you.",
        names.join(", ")
    )));
    all_the_same(printer, yes)
}

/// What actions of one publisher would call of another one's connector.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    actions: BTreeSet<String>,
    operations: BTreeSet<String>,
}

impl Foreign {
    pub(super) fn add(&mut self, preview: &ActionPreview, needed: &ConnectorDependency) {
        self.actions.insert(preview.name.clone());
        self.operations.extend(needed.capabilities.iter().cloned());
    }

    /// May they act with what the person gave that connector?
    pub(super) fn agree(
        &self,
        printer: Printer,
        owner: &str,
        connector: &str,
        yes: bool,
    ) -> Result<()> {
        let actions: Vec<_> = self.actions.iter().map(String::as_str).collect();
        let operations = self.operations.iter().map(String::as_str).collect();
        printer.say(one_line(&format!(
            "{} of {owner} would use the connector of another publisher, {connector}, with what \
             you bound to it: {}",
            actions.join(", "),
            listed(&operations)
        )));
        all_the_same(printer, yes)
    }
}

/// The publisher of a package: `<scheme>://<owner>`.
pub(super) fn owner(fqn: &str) -> String {
    keyring::owner_of(&authority_of(fqn))
}

/// A connector by its name and version.
pub(super) fn named(needed: &ConnectorDependency) -> String {
    one_line(&format!("{}@{}", needed.fqn, needed.version))
}

fn all_the_same(printer: Printer, yes: bool) -> Result<()> {
    if yes || terminal::confirm(printer, "Install it all the same?")? {
        Ok(())
    } else {
        Err(Failure::NotInstalled)
    }
}

fn listed(operations: &BTreeSet<&str>) -> String {
    let names: Vec<_> = operations.iter().take(SHOWN).map(|name| one_line(name)).collect();
    match operations.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_is_the_owner_of_the_repository() {
        assert_eq!(owner("github://acme/notes/actions/list"), "github://acme");
        assert_eq!(owner("local://user/notes"), "local://user");
        assert_ne!(owner("github://acme/notes"), owner("github://acme-inc/notes"));
    }

    #[test]
    fn many_operations_are_counted_after_the_first_ones_and_none_breaks_the_line() {
        let names: Vec<_> = (0..30).map(|at| format!("op{at:02}")).collect();
        let shown = listed(&names.iter().map(String::as_str).collect());
        assert!(shown.starts_with("op00, op01") && shown.ends_with("op23 and 6 more"), "{shown}");
        assert_eq!(listed(&["a\nInstall? [y/N]: y"].into()), "a\\nInstall? [y/N]: y");
    }
}

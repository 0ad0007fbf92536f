//! One of the actions that are installed together.

use aileron_api::packages::{
    ActionPreview, ConnectorDependency, InstallActionRequest, InstalledAction, SuiteMember,
};

use super::{super::binding, Choices};
use crate::printer::Printer;

/// One action on its way.
pub(in crate::commands) struct Member {
    pub(in crate::commands) request: InstallActionRequest,
    /// None as well when the caller may install but not look.
    pub(in crate::commands) preview: Option<ActionPreview>,
    /// How it ended, once it has; a failure in words for the person.
    pub(in crate::commands) outcome: Option<Answer<InstalledAction>>,
}

/// What became of one of several, in words when it failed.
pub(super) type Answer<T> = Result<T, String>;

impl Member {
    pub(super) fn new(package: SuiteMember, choices: Choices) -> Self {
        let SuiteMember { fqn, version } = package;
        let force = choices.force;
        let request = InstallActionRequest { fqn, version, force, ..Default::default() };
        Self { request, preview: None, outcome: None }
    }

    pub(super) fn waits(&self) -> bool {
        self.outcome.is_none()
    }

    pub(in crate::commands) fn installed(&self) -> Option<&InstalledAction> {
        self.outcome.as_ref()?.as_ref().ok()
    }

    /// Its preview, as long as it waits.
    pub(super) fn shown(&self) -> Option<&ActionPreview> {
        self.preview.as_ref().filter(|_| self.waits())
    }

    /// Connectors it needs and that are not installed.
    pub(super) fn lacks(&self) -> Vec<ConnectorDependency> {
        let needed = self.shown().into_iter().flat_map(|preview| &preview.connector_deps);
        needed.filter(|needed| !needed.already_installed).cloned().collect()
    }

    pub(super) fn fails(&mut self, why: impl Into<String>) {
        self.outcome = Some(Err(why.into()));
    }

    pub(in crate::commands) fn tell(&self, printer: Printer) {
        let Some(installed) = self.installed() else { return };
        if installed.already_installed {
            printer.say(format!("Already installed: {}@{}", installed.fqn, installed.version));
        } else {
            let gated = self.preview.as_ref().is_some_and(|preview| preview.approval_required);
            let gate = if gated { ", each call waits for your approval" } else { "" };
            printer.tick(format!("Installed {} {}{gate}", installed.name, installed.version));
        }
        binding::mention_stale(printer, &installed.newly_stale_bindings);
    }
}

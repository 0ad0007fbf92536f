//! What an action comes to for given arguments: which operation of which connector, with what.

use std::sync::Arc;

use aileron_contract::{
    executor::Requirement,
    failure::{Boundary, Class, Failure},
    names::{PackageRef, Sha256Hash},
};
use serde_json::{Map, Value};

use crate::{arguments, packages::catalog::Installed};

/// The steps of one run, checked against what the action declares.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) installed: Arc<Installed>,
    pub(super) first: PlannedStep,
    pub(super) others: Vec<PlannedStep>,
}

/// One call of one connector.
#[derive(Clone, Debug)]
pub(super) struct PlannedStep {
    pub(super) id: String,
    pub(super) op: String,
    pub(super) idempotent: Option<bool>,
    pub(super) package: PackageRef,
    pub(super) hash: Sha256Hash,
    pub(super) args: Map<String, Value>,
}

impl Plan {
    /// `capability_denied` when a step calls what the action does not declare.
    pub(super) fn of(
        installed: Arc<Installed>,
        given: &Map<String, Value>,
    ) -> Result<Self, Failure> {
        let mut steps = Vec::new();
        for step in &installed.file.steps {
            let span = tracing::info_span!(
                "aileron.capability.check",
                aileron.action.name = %installed.file.name,
                aileron.connector.fqn = %step.connector,
                aileron.capability.kind = step.op,
            );
            let requirement = span.in_scope(|| granted(&installed, step))?;
            steps.push(PlannedStep {
                id: step.id.clone(),
                op: step.op.clone(),
                idempotent: step.idempotent,
                package: requirement.package.clone(),
                hash: requirement.hash,
                args: arguments::of_step(step, &installed.file.inputs, given),
            });
        }
        let mut steps = steps.into_iter();
        let first = steps.next().ok_or_else(|| {
            Failure::new(Class::ValidationError, Boundary::Action, "the action has no steps")
        })?;
        Ok(Self { first, others: steps.collect(), installed })
    }

    pub(super) fn last(&self) -> &PlannedStep {
        self.others.last().unwrap_or(&self.first)
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

fn granted<'a>(
    installed: &'a Installed,
    step: &aileron_contract::executor::Step,
) -> Result<&'a Requirement, Failure> {
    let denied = |message: &str, requirement: Option<&Requirement>| {
        let failure = Failure::new(
            Class::CapabilityDenied,
            Boundary::Action,
            format!("step {:?} calls {:?}: {message}", step.id, step.op),
        )
        .detail("action", installed.file.name.as_str())
        .detail("action_version", installed.file.version.to_string())
        .detail("connector", step.connector.as_str())
        .detail("requested", step.op.as_str());
        match requirement {
            Some(requirement) => failure
                .detail("connector_version", requirement.package.version.to_string())
                .detail("declared_subset", requirement.capabilities.clone()),
            None => failure,
        }
    };
    let requirement = installed
        .file
        .requirement(&step.connector)
        .ok_or_else(|| denied("connector not declared as a dependency", None))?;
    if requirement.capabilities.contains(&step.op) {
        return Ok(requirement);
    }
    Err(denied("capability not in declared subset", Some(requirement)))
}

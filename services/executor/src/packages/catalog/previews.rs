//! A preview shows a person what a call would do; it must not do anything itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use aileron_contract::{executor::LoadError, failure::Class, names::Fqn};

use super::files::{Parsed, shown};

/// Those of `actions` whose preview calls an operation that no accepted action declares
/// idempotent, or one that an accepted action gates. What nobody accepted decides nothing.
pub(super) fn check(actions: &[Arc<Parsed>], accepted: &[Arc<Parsed>]) -> Vec<LoadError> {
    let mut idempotent: HashSet<(&Fqn, &str)> = HashSet::new();
    let mut gated: HashMap<(&Fqn, &str), &str> = HashMap::new();
    for parsed in accepted {
        for step in &parsed.file.steps {
            let operation = (&step.connector, step.op.as_str());
            if step.idempotent == Some(true) {
                idempotent.insert(operation);
            }
            if parsed.file.gated() {
                gated.insert(operation, parsed.file.name.as_str());
            }
        }
    }
    let refused = |parsed: &Parsed, message: String| LoadError {
        class: Class::ValidationError,
        message,
        file: shown(&parsed.path),
        line: 0,
    };
    let misuse = |parsed: &Arc<Parsed>| {
        let (connector, preview) = parsed.file.preview()?;
        let operation = (connector, preview.op.as_str());
        if let Some(other) = gated.get(&operation) {
            let message = format!(
                "approval.preview.op {:?} is an operation that {other} needs approval for",
                preview.op
            );
            return Some(refused(parsed, message));
        }
        if !idempotent.contains(&operation) {
            let message = format!(
                "approval.preview.op {:?} must be an idempotent step of an installed action of \
                 {connector}: install the action that declares it",
                preview.op
            );
            return Some(refused(parsed, message));
        }
        None
    };
    actions.iter().filter_map(misuse).collect()
}

//! Which operations of its own connector a project asks for. Manifests do not list operations:
//! whether a connector has one, only the connector can say.

use std::collections::BTreeSet;

use aileron_contract::names::Fqn;

use super::Sources;
use crate::formats::action::ActionFile;

/// One place that asks for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub op: String,
    /// The file, from the repository's root.
    pub file: String,
    /// None names one: 0.
    pub line: u32,
}

/// What the project's actions ask of its connector. Files that cannot be read ask for nothing:
/// the other checks tell what is wrong with them.
pub fn asked(sources: &Sources) -> Vec<Asked> {
    let Ok(manifest) = sources.manifest() else { return Vec::new() };
    let mut asked = Vec::new();
    for source in &sources.actions {
        let Ok(action) = source.read() else { continue };
        for op in asked_by(&action, &manifest.package.fqn) {
            let line = source.file.line_of(&format!("\"{op}\""));
            asked.push(Asked { op, file: source.file.path.clone(), line });
        }
    }
    asked
}

/// What one action asks of a connector: in its steps, and for its preview.
pub fn asked_by(action: &ActionFile, connector: &Fqn) -> BTreeSet<String> {
    let steps = action.steps.iter().map(|step| (&step.connector, step.op.as_str()));
    let preview = action.preview().map(|(connector, rule)| (connector, rule.op.as_str()));
    let own = steps.chain(preview).filter(|(of, _)| *of == connector);
    own.map(|(_, op)| op.to_owned()).collect()
}

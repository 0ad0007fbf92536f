use aileron_api::{
    Object,
    actions::{
        Action, Actions, Approval, ApprovalPreview, Input, LoadError, Match, Requirement, Requires,
        RunPending, RunResult, Step,
    },
};
use aileron_contract::executor;

use super::text;

pub(crate) fn actions(actions: executor::Actions) -> Actions {
    let executor::Actions { items, load_errors, warnings } = actions;
    Actions {
        items: items.into_iter().map(action).collect(),
        load_errors: load_errors.into_iter().map(load_error).collect(),
        warnings,
    }
}

fn load_error(error: executor::LoadError) -> LoadError {
    let executor::LoadError { class, message, file, line } = error;
    let boundary = "action".to_owned();
    LoadError { class: class.to_string(), message, file, line, boundary }
}

pub(crate) fn action(action: executor::Action) -> Action {
    let executor::Action {
        name,
        version,
        source,
        hash,
        requires,
        intent,
        inputs,
        steps,
        approval,
        enabled,
        pinned,
        body,
        path,
        lenient,
    } = action;
    Action {
        name: name.to_string(),
        version: version.to_string(),
        source: source.to_string(),
        requires: Requires { connectors: requires.into_iter().map(requirement).collect() },
        matches: Match { intent },
        execute: steps.into_iter().map(step).collect(),
        inputs: inputs.into_iter().map(input).collect(),
        approval: approval.map(approval_rule),
        enabled,
        body,
        path,
        hash: Some(hash.to_string()),
        pinned,
        lenient,
    }
}

fn requirement(requirement: executor::Requirement) -> Requirement {
    let executor::Requirement { package, hash, capabilities } = requirement;
    Requirement {
        name: package.fqn.to_string(),
        version: package.version.to_string(),
        hash: hash.to_string(),
        capabilities,
    }
}

fn step(step: executor::Step) -> Step {
    let executor::Step { id, connector, op, idempotent, inputs } = step;
    Step { id, connector: connector.to_string(), op, idempotent, inputs }
}

fn input(input: executor::Input) -> Input {
    let executor::Input { name, kind, items, required, description, label, multiline, declared } =
        input;
    Input {
        name,
        kind: kind.to_string(),
        items: text(items),
        required,
        description,
        label,
        multiline,
        declared_type: declared,
    }
}

fn approval_rule(rule: executor::ApprovalRule) -> Approval {
    let executor::ApprovalRule { required, preview } = rule;
    Approval { required, preview: preview.map(preview_rule) }
}

fn preview_rule(rule: executor::PreviewRule) -> ApprovalPreview {
    let executor::PreviewRule { op, args, render, multiline } = rule;
    let render: Object = render.into_iter().map(|(label, path)| (label, path.into())).collect();
    ApprovalPreview { op, args, render, multiline }
}

pub(crate) fn run_result(result: executor::RunResult) -> RunResult {
    let executor::RunResult { run, audit_id, output, connector, connector_hash, binding, consent } =
        result;
    RunResult {
        audit_id: audit_id.to_string(),
        result: Some(output),
        run_id: Some(run.to_string()),
        connector_fqn: Some(connector.fqn.to_string()),
        connector_version: Some(connector.version.to_string()),
        connector_hash: Some(connector_hash.to_string()),
        identity_label: binding.as_ref().map(|binding| binding.identity().to_owned()),
        credential_binding: text(binding),
        consent_decision: Some(consent.to_string()),
    }
}

/// `review_url` is where the web page shows it, where there is one.
pub(crate) fn pending(pending: executor::Pending, review_url: Option<String>) -> RunPending {
    let executor::Pending { id, action, connector, expires_at } = pending;
    let on = connector.map(|fqn| format!(" on {fqn}")).unwrap_or_default();
    // Nothing but a space after the address: whoever copies it copies what stands at its end.
    let place = review_url.as_ref().map(|url| format!("open {url} in a browser or "));
    let place = place.unwrap_or_default();
    let message = format!(
        "Running {action}{on} needs a person's approval. Please tell the person exactly this: \
         {place}run `aileron open approval {id}`, and decide there, or in a terminal with \
         `aileron approval approve {id}` (or `aileron approval deny {id}`). Once approved it runs \
         by itself; ask for its outcome with check_action_status and the id {id}."
    );
    RunPending {
        status: "pending_approval".to_owned(),
        approval_id: id.to_string(),
        review_url,
        message,
        expires_at: Some(expires_at.to_string()),
    }
}

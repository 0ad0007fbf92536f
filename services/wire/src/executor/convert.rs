//! Domain types of the executor's contract and their messages: actions and what surrounds them.
//! Runs are in `runs`.

pub(super) mod runs;

use aileron_contract::{
    Result,
    executor::{Action, ApprovalRule, Counts, Input, LoadError, PreviewRule, Requirement, Step},
};
use aileron_proto::executor::v1 as pb;

use crate::values::{json_as_recorded, json_to_wire, list, parsed, parsed_if, required, text_if};

pub(super) fn counts_to_wire(counts: Counts) -> pb::CountsResponse {
    let Counts { actions, connectors, pending_approvals } = counts;
    pb::CountsResponse { actions, connectors, pending_approvals }
}

pub(super) fn counts_from_wire(counts: pb::CountsResponse) -> Counts {
    let pb::CountsResponse { actions, connectors, pending_approvals } = counts;
    Counts { actions, connectors, pending_approvals }
}

pub(super) fn load_error_to_wire(error: LoadError) -> pb::LoadError {
    let LoadError { class, message, file, line } = error;
    pb::LoadError { class: class.to_string(), message, file, line }
}

pub(super) fn load_error_from_wire(error: pb::LoadError) -> Result<LoadError> {
    let pb::LoadError { class, message, file, line } = error;
    Ok(LoadError { class: parsed(class)?, message, file, line })
}

pub(super) fn action_to_wire(action: Action) -> pb::Action {
    let Action {
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
    } = action;
    pb::Action {
        name: name.to_string(),
        version: version.to_string(),
        source: source.to_string(),
        hash: hash.to_string(),
        requires: requires.into_iter().map(requirement_to_wire).collect(),
        intent,
        inputs: inputs.into_iter().map(input_to_wire).collect(),
        steps: steps.into_iter().map(step_to_wire).collect(),
        approval: approval.map(approval_rule_to_wire),
        enabled,
        pinned,
        body,
        path,
    }
}

pub(super) fn action_from_wire(action: Option<pb::Action>) -> Result<Action> {
    let pb::Action {
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
    } = required(action, "action")?;
    Ok(Action {
        name: parsed(name)?,
        version: parsed(version)?,
        source: parsed(source)?,
        hash: parsed(hash)?,
        requires: list(requires, requirement_from_wire)?,
        intent,
        inputs: list(inputs, input_from_wire)?,
        steps: list(steps, step_from_wire)?,
        approval: approval.map(approval_rule_from_wire).transpose()?,
        enabled,
        pinned,
        body,
        path,
    })
}

fn requirement_to_wire(requirement: Requirement) -> pb::Requirement {
    let Requirement { package, hash, capabilities } = requirement;
    pb::Requirement { package: package.to_string(), hash: hash.to_string(), capabilities }
}

fn requirement_from_wire(requirement: pb::Requirement) -> Result<Requirement> {
    let pb::Requirement { package, hash, capabilities } = requirement;
    Ok(Requirement { package: parsed(package)?, hash: parsed(hash)?, capabilities })
}

fn input_to_wire(input: Input) -> pb::Input {
    let Input { name, kind, items, required, description, label, multiline } = input;
    pb::Input {
        name,
        kind: kind.to_string(),
        items: text_if(items),
        required,
        description,
        label,
        multiline,
    }
}

fn input_from_wire(input: pb::Input) -> Result<Input> {
    let pb::Input { name, kind, items, required, description, label, multiline } = input;
    Ok(Input {
        name,
        kind: parsed(kind)?,
        items: parsed_if(items)?,
        required,
        description,
        label,
        multiline,
    })
}

fn step_to_wire(step: Step) -> pb::Step {
    let Step { id, connector, op, idempotent, inputs } = step;
    pb::Step {
        id,
        connector: connector.to_string(),
        op,
        idempotent,
        inputs_json: json_to_wire(inputs),
    }
}

fn step_from_wire(step: pb::Step) -> Result<Step> {
    let pb::Step { id, connector, op, idempotent, inputs_json } = step;
    Ok(Step {
        id,
        connector: parsed(connector)?,
        op,
        idempotent,
        inputs: json_as_recorded(&inputs_json)?,
    })
}

fn approval_rule_to_wire(rule: ApprovalRule) -> pb::ApprovalRule {
    let ApprovalRule { required, preview } = rule;
    pb::ApprovalRule { required, preview: preview.map(preview_rule_to_wire) }
}

fn approval_rule_from_wire(rule: pb::ApprovalRule) -> Result<ApprovalRule> {
    let pb::ApprovalRule { required, preview } = rule;
    Ok(ApprovalRule { required, preview: preview.map(preview_rule_from_wire).transpose()? })
}

fn preview_rule_to_wire(rule: PreviewRule) -> pb::PreviewRule {
    let PreviewRule { op, args, render, multiline } = rule;
    let render = render.into_iter().map(|(label, path)| pb::RenderRule { label, path });
    pb::PreviewRule { op, args_json: json_to_wire(args), render: render.collect(), multiline }
}

fn preview_rule_from_wire(rule: pb::PreviewRule) -> Result<PreviewRule> {
    let pb::PreviewRule { op, args_json, render, multiline } = rule;
    let render = render.into_iter().map(|pb::RenderRule { label, path }| (label, path));
    Ok(PreviewRule { op, args: json_as_recorded(&args_json)?, render: render.collect(), multiline })
}

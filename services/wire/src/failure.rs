//! Failures of runs, and what manifests declare about credentials: shared by several contracts.

use aileron_contract::{
    Result,
    credential::{CredentialNeed, HeaderTemplate},
    failure::Failure,
};
use aileron_proto::common::v1 as pb;

use crate::values::{json_as_recorded, json_to_wire, parsed, parsed_if, required, text_if};

pub(crate) fn failure_to_wire(failure: Failure) -> pb::Failure {
    let Failure { class, boundary, message, retriable, details, audit_id } = failure;
    pb::Failure {
        class: class.to_string(),
        boundary: boundary.to_string(),
        message,
        retriable,
        details_json: details.map(json_to_wire),
        audit_id: text_if(audit_id),
    }
}

pub(crate) fn failure_from_wire(failure: Option<pb::Failure>) -> Result<Failure> {
    let pb::Failure { class, boundary, message, retriable, details_json, audit_id } =
        required(failure, "failure")?;
    Ok(Failure {
        class: parsed(class)?,
        boundary: parsed(boundary)?,
        message,
        retriable,
        details: details_json.as_deref().map(json_as_recorded).transpose()?,
        audit_id: parsed_if(audit_id)?,
    })
}

pub(crate) fn template_to_wire(template: &HeaderTemplate) -> pb::HeaderTemplate {
    pb::HeaderTemplate {
        header: template.header().to_owned(),
        format: template.format().to_owned(),
    }
}

pub(crate) fn template_from_wire(template: Option<pb::HeaderTemplate>) -> Result<HeaderTemplate> {
    let pb::HeaderTemplate { header, format } = required(template, "template")?;
    HeaderTemplate::new(&header, &format)
}

pub(crate) fn need_to_wire(need: CredentialNeed) -> pb::CredentialNeed {
    let CredentialNeed { kind, scope, template } = need;
    pb::CredentialNeed {
        kind: kind.to_string(),
        scope,
        template: Some(template_to_wire(&template)),
    }
}

pub(crate) fn need_from_wire(need: pb::CredentialNeed) -> Result<CredentialNeed> {
    let pb::CredentialNeed { kind, scope, template } = need;
    Ok(CredentialNeed { kind: parsed(kind)?, scope, template: template_from_wire(template)? })
}

//! Failures of runs, and what manifests declare about credentials: shared by several contracts.

use aileron_contract::{
    Result,
    credential::{CredentialNeed, HeaderTemplate},
    failure::Failure,
};
use aileron_proto::common::v1 as pb;

use crate::message::{Wire, messages, must_be_there};

messages! {
    Failure => pb::Failure {
        class, boundary, message, retriable, details = details_json, audit_id,
    }

    CredentialNeed => pb::CredentialNeed { kind, scope, template }
}

impl Wire<pb::HeaderTemplate> for HeaderTemplate {
    fn into_wire(self) -> pb::HeaderTemplate {
        pb::HeaderTemplate { header: self.header().to_owned(), format: self.format().to_owned() }
    }

    fn from_wire(template: pb::HeaderTemplate, _field: &'static str) -> Result<Self> {
        let pb::HeaderTemplate { header, format } = template;
        Self::new(&header, &format)
    }
}

must_be_there!(HeaderTemplate => pb::HeaderTemplate);

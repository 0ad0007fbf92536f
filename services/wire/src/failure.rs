//! Failures of runs: shared by several contracts.

use aileron_contract::failure::Failure;
use aileron_proto::common::v1 as pb;

use crate::message::messages;

messages! {
    Failure => pb::Failure {
        class, boundary, message, retriable, details = details_json, audit_id,
    }
}

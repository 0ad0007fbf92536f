//! Errors as gRPC statuses and back. The kind is the code, one to one; the reason travels as
//! `google.rpc.ErrorInfo` in our domain. A status without it did not come from a service of ours
//! but from the way there.

use std::collections::HashMap;

use aileron_contract::{Error, Kind, Reason, limits};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

const DOMAIN: &str = "aileron";
const DETAILS: &str = "details";

/// What a service answers with. The source stays here.
pub(crate) fn status_from_error(error: &Error) -> Status {
    let mut facts = HashMap::new();
    if let Some(details) = error.details() {
        facts.insert(DETAILS.to_owned(), bounded_details(details));
    }
    Status::with_error_details(
        code(error.kind()),
        bounded_text(error.public()),
        ErrorDetails::with_error_info(error.reason().code(), DOMAIN, facts),
    )
}

/// What the caller learns. `service` names who was called.
pub(crate) fn error_from_status(service: &str, status: Status) -> Error {
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == DOMAIN);
    let Some(info) = info else {
        return transport(service, status);
    };
    let Ok(reason) = info.reason.parse::<Reason>() else {
        return unknown(service).caused_by(status);
    };
    if code(reason.kind()) != status.code() {
        return unknown(service).caused_by(status);
    }
    let error = Error::new(reason, status.message());
    match info.metadata.get(DETAILS).map(|text| serde_json::from_str(text)) {
        None => error,
        Some(Ok(details)) => error.with_details(details),
        Some(Err(_)) => unknown(service).caused_by(status),
    }
}

/// A service answered with something this side cannot read.
pub(crate) fn unknown(service: &str) -> Error {
    Error::new(
        Reason::InternalError,
        format!(
            "the {service} service answered with something this version does not understand: \
             run the same version everywhere"
        ),
    )
}

/// A stream stopped before its end.
pub(crate) fn cut(service: &str) -> Error {
    Error::new(
        Reason::ServiceUnavailable,
        format!("the connection to the {service} service was cut in the middle of an answer"),
    )
}

/// The caller's deadline passed before the answer came.
pub(crate) fn late(service: &str) -> Error {
    Error::new(
        Reason::DeadlineExceeded,
        format!("the {service} service did not answer before the deadline of the call"),
    )
}

/// A message is past its limit, on either side.
pub(crate) fn too_large(service: &str) -> Error {
    Error::new(
        Reason::BodyTooLarge,
        format!(
            "a message to or from the {service} service is larger than allowed: ask for less at \
             once"
        ),
    )
}

fn transport(service: &str, status: Status) -> Error {
    let (reason, public) = match status.code() {
        Code::DeadlineExceeded => return late(service).caused_by(status),
        // What tonic says of a message beyond its limit.
        Code::OutOfRange => return too_large(service).caused_by(status),
        Code::Unauthenticated | Code::PermissionDenied => (
            Reason::ServiceUnavailable,
            format!(
                "the {service} service does not accept calls from this process: both need the \
                 same service token"
            ),
        ),
        Code::Unimplemented => (
            Reason::ServiceUnavailable,
            format!("no {service} service is offered there: check where the roles run"),
        ),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => (
            Reason::ServiceUnavailable,
            format!(
                "the {service} service cannot be reached; the connection is tried again with the \
                 next call"
            ),
        ),
    };
    Error::new(reason, public).caused_by(status)
}

const fn code(kind: Kind) -> Code {
    match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Forbidden => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::Conflict => Code::Aborted,
        Kind::Locked => Code::FailedPrecondition,
        Kind::Exhausted => Code::ResourceExhausted,
        Kind::Unavailable => Code::Unavailable,
        Kind::Timeout => Code::DeadlineExceeded,
        Kind::Internal => Code::Internal,
    }
}

pub(crate) fn bounded_text(text: &str) -> String {
    if text.len() <= limits::ERROR_TEXT {
        return text.to_owned();
    }
    let mut cut: String = text
        .chars()
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= limits::ERROR_TEXT).then_some(c)
        })
        .collect();
    cut.push_str(" [cut]");
    cut
}

pub(crate) fn bounded_details(details: &Value) -> String {
    let text = details.to_string();
    if text.len() <= limits::ERROR_DETAILS {
        return text;
    }
    json!({ "left_out": "the details are too large to travel between services" }).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_and_kind_survives() {
        for reason in Reason::ALL {
            let error = Error::new(*reason, "what happened: «ä»\n100 %")
                .with_details(json!({ "expected": [1, 2.5, null], "nested": { "a": "b" } }));
            let back = error_from_status("vault", status_from_error(&error));
            assert_eq!(
                (back.reason(), back.kind(), back.public(), back.details()),
                (*reason, reason.kind(), error.public(), error.details())
            );
        }
        let bare = error_from_status("vault", status_from_error(&Error::new(Reason::Busy, "")));
        assert_eq!((bare.reason(), bare.public(), bare.details()), (Reason::Busy, "", None));
    }

    #[test]
    fn each_kind_has_a_code_of_its_own() {
        let codes: HashSet<_> =
            Kind::ALL.into_iter().map(|kind| format!("{:?}", code(kind))).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
    }

    #[test]
    fn the_source_never_leaves() {
        let error = Error::internal("the passphrase is hunter2");
        let status = status_from_error(&error);
        assert!(!format!("{status:?}").contains("hunter2"));
        assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
    }

    #[test]
    fn a_foreign_status_is_a_failure_of_the_way_there() {
        for code in (0..=16).map(Code::from_i32) {
            let error = error_from_status("vault", Status::new(code, "somebody else's words"));
            let expected = match code {
                Code::DeadlineExceeded => Reason::DeadlineExceeded,
                Code::OutOfRange => Reason::BodyTooLarge,
                _ => Reason::ServiceUnavailable,
            };
            assert_eq!(error.reason(), expected, "{code:?}");
            assert!(error.public().contains("vault"), "{error}");
            assert!(!error.public().contains("somebody"), "{error}");
        }
    }

    #[test]
    fn a_reason_this_version_does_not_know_or_a_wrong_code_is_internal() {
        for (code, reason) in [(Code::NotFound, "from_the_future"), (Code::Internal, "not_found")] {
            let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
            let status = Status::with_error_details(code, "x", details);
            assert_eq!(error_from_status("vault", status).reason(), Reason::InternalError);
        }
    }

    #[test]
    fn long_errors_are_cut_with_a_mark() {
        let error = Error::new(Reason::Busy, "ä".repeat(limits::ERROR_TEXT))
            .with_details(json!("x".repeat(limits::ERROR_DETAILS)));
        let back = error_from_status("vault", status_from_error(&error));
        assert!(back.public().len() <= limits::ERROR_TEXT + 6 && back.public().ends_with("[cut]"));
        assert!(back.details().unwrap().get("left_out").is_some());
    }
}

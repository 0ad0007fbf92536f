//! The one place where reasons and failure classes meet HTTP statuses. Where the published API
//! prescribes a status it wins over the kind's.

use aileron_contract::{Kind, Reason, failure::Class};
use http::StatusCode;

pub(super) fn of_error(reason: Reason) -> StatusCode {
    match reason {
        // published
        Reason::ValidationError
        | Reason::ParseError
        | Reason::SignatureFailure
        | Reason::HashMismatch
        | Reason::FqnMismatch
        | Reason::FetchFailed
        | Reason::MalformedTarball
        | Reason::ConnectorsMissing
        | Reason::ActionUnsigned
        | Reason::FingerprintMismatch
        | Reason::NotOauth2
        | Reason::TokenExchangeFailed => StatusCode::UNPROCESSABLE_ENTITY,
        Reason::KeyFetchFailed | Reason::HubUnreachable => StatusCode::BAD_GATEWAY,
        // of HTTP itself
        Reason::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ => of_kind(reason.kind()),
    }
}

fn of_kind(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Locked => StatusCode::LOCKED,
        Kind::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) fn of_failure(class: Class) -> StatusCode {
    match class {
        Class::CapabilityDenied | Class::ApprovalDenied | Class::ApprovalTimeout => {
            StatusCode::FORBIDDEN
        }
        Class::BindingRequired | Class::BindingFailed => StatusCode::PRECONDITION_FAILED,
        Class::HashMismatch
        | Class::SignatureFailure
        | Class::ValidationError
        | Class::ParseError => StatusCode::UNPROCESSABLE_ENTITY,
        Class::ConnectorRuntimeError => StatusCode::INTERNAL_SERVER_ERROR,
        Class::NetworkError | Class::ExternalApiError => StatusCode::BAD_GATEWAY,
        Class::ResourceLimitExceeded => StatusCode::INSUFFICIENT_STORAGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_statuses_win_over_kinds() {
        for (reason, status) in [
            (Reason::InvalidRequest, 400),
            (Reason::InvalidBody, 400),
            (Reason::InvalidFqn, 400),
            (Reason::KindMismatch, 400),
            (Reason::TokenMissing, 401),
            (Reason::PassphraseRejected, 401),
            (Reason::PersonRequired, 403),
            (Reason::VaultMissing, 404),
            (Reason::ApprovalDecided, 404),
            (Reason::ActionExists, 409),
            (Reason::BindingExists, 409),
            (Reason::BodyTooLarge, 413),
            (Reason::ConnectorsMissing, 422),
            (Reason::SignatureFailure, 422),
            (Reason::NotOauth2, 422),
            (Reason::TokenExchangeFailed, 422),
            (Reason::SessionNotFound, 404),
            (Reason::StateMismatch, 400),
            (Reason::BrowserMismatch, 403),
            (Reason::IssuerMismatch, 403),
            (Reason::FetchFailed, 422),
            (Reason::VaultLocked, 423),
            (Reason::UnlockBackoff, 429),
            (Reason::StoreUnwritable, 500),
            (Reason::KeyFetchFailed, 502),
            (Reason::FingerprintMismatch, 422),
            (Reason::HubUnreachable, 502),
            (Reason::HubDisabled, 503),
            (Reason::HubConflict, 409),
            (Reason::ServiceUnavailable, 503),
            (Reason::DeadlineExceeded, 504),
        ] {
            assert_eq!(of_error(reason).as_u16(), status, "{reason}");
        }
    }

    #[test]
    fn every_reason_and_class_is_an_error_status() {
        assert!(Reason::ALL.iter().all(|reason| of_error(*reason).as_u16() >= 400));
        assert!(Class::ALL.iter().all(|class| of_failure(*class).as_u16() >= 400));
    }

    /// As `wire` maps kinds to gRPC, one to one.
    fn grpc(kind: Kind) -> &'static str {
        match kind {
            Kind::Invalid => "INVALID_ARGUMENT",
            Kind::Unauthenticated => "UNAUTHENTICATED",
            Kind::Forbidden => "PERMISSION_DENIED",
            Kind::NotFound => "NOT_FOUND",
            Kind::Conflict => "ABORTED",
            Kind::Locked => "FAILED_PRECONDITION",
            Kind::Exhausted => "RESOURCE_EXHAUSTED",
            Kind::Unavailable => "UNAVAILABLE",
            Kind::Timeout => "DEADLINE_EXCEEDED",
            Kind::Internal => "INTERNAL",
        }
    }

    #[test]
    fn every_page_of_the_manual_names_the_status_its_code_has() {
        let says = |name: String, facts: String| {
            let page = crate::manual::PAGES.iter().find(|(page, _)| *page == name);
            let page = page.unwrap_or_else(|| panic!("docs/{name}.md is missing"));
            assert!(page.1.contains(&facts), "docs/{name}.md does not say: {facts}");
        };
        for reason in Reason::ALL {
            let (status, grpc) = (of_error(*reason).as_u16(), grpc(reason.kind()));
            says(
                format!("errors/{reason}"),
                format!("\n\nHTTP status {status} · gRPC status {grpc} · exit code 1\n\n"),
            );
        }
        for class in Class::ALL {
            let status = of_failure(*class).as_u16();
            says(
                format!("failures/{class}"),
                format!("\n\nHTTP status {status} · exit code 1 · in the log as"),
            );
        }
    }
}

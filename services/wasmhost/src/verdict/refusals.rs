//! The failures this room states itself.

use std::time::Duration;

use aileron_contract::{
    failure::{Boundary, Class, Failure},
    limits,
};

use crate::host::Limits;

/// The detail that holds a class of the published engine or of a guest that is not one of ours.
pub(crate) const REPORTED_CLASS: &str = "reported_class";

/// A limit was passed. `configured` is the limit as people write it.
pub(crate) fn limit(name: &str, configured: &str) -> Failure {
    let words = name.replace('_', " ");
    let advice = match name {
        "memory" | "wall_time" => {
            "; its manifest may ask for more under [capabilities.limits], within the runtime's cap"
        }
        _ => "",
    };
    Failure::new(
        Class::ResourceLimitExceeded,
        Boundary::Sandbox,
        format!("the connector passed its limit of {configured} for {words}{advice}"),
    )
    .detail("limit", name)
    .detail("configured", configured)
}

pub(crate) fn wall_time(limits: &Limits) -> Failure {
    limit("wall_time", &duration(limits.wall))
}

pub(crate) fn compile_time() -> Failure {
    limit("compile_time", &duration(limits::MODULE_COMPILE_WALL))
}

pub(crate) fn request_too_large() -> Failure {
    limit("request", &mebibytes(limits::GUEST_REQUEST))
}

pub(crate) fn too_many_requests() -> Failure {
    limit("requests", &limits::GUEST_REQUESTS.to_string())
}

pub(crate) fn response_too_large() -> Failure {
    limit("response", &mebibytes(usize::try_from(limits::GUEST_RESPONSE).unwrap_or(usize::MAX)))
}

/// The guest failed by itself.
pub(crate) fn broken(message: impl Into<String>) -> Failure {
    Failure::new(Class::ConnectorRuntimeError, Boundary::Sandbox, message)
}

/// The module cannot be compiled, linked or started.
pub(crate) fn load_failed(reason: &str) -> Failure {
    let reason: String = reason.chars().take(limits::GUEST_MESSAGE).collect();
    broken(format!("the connector cannot be loaded: {reason}"))
        .detail(REPORTED_CLASS, "connector_load_failed")
}

/// The caller is gone, so nobody is there to send a request.
pub(crate) fn abandoned() -> Failure {
    broken("the call was given up before its request was answered")
}

pub(crate) fn shutting_down() -> Failure {
    broken("the runtime is shutting down; try again once it has started").retriable(true)
}

/// Our own fault; the log says more.
pub(crate) fn engine_failed() -> Failure {
    broken("the WebAssembly engine failed inside the runtime; its log says more")
}

pub(crate) fn memory(limits: &Limits) -> String {
    mebibytes(usize::try_from(limits.memory).unwrap_or(usize::MAX))
}

pub(crate) fn mebibytes(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = KIB * KIB;
    match bytes {
        _ if bytes.is_multiple_of(MIB) => format!("{}MiB", bytes / MIB),
        _ if bytes.is_multiple_of(KIB) => format!("{}KiB", bytes / KIB),
        _ => format!("{bytes}B"),
    }
}

/// As published: `30s`.
fn duration(wall: Duration) -> String {
    if wall.subsec_nanos() == 0 {
        format!("{}s", wall.as_secs())
    } else {
        format!("{}ms", wall.as_millis())
    }
}

//! The shapes of the public REST API, field for field as published, and (feature `client`) a
//! typed client, and (feature `mcp`) actions as tools of the Model Context Protocol.
//!
//! Deliberately absent: the contracts behind the API, and any decision. A value that is absent is
//! left out of the JSON, never `null`. Timestamps are RFC 3339 text in UTC; bytes are standard
//! base64 text.

pub mod access;
pub mod actions;
pub mod approvals;
pub mod audit;
pub mod batch;
pub mod bindings;
#[cfg(feature = "client")]
pub mod client;
pub mod custody;
pub mod discovery;
pub mod error;
pub mod grants;
mod hidden;
pub mod hub;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod oauth2;
pub mod packages;
pub mod page;
pub mod progress;
pub mod releases;
pub mod runs;
mod sensitive;
pub mod sessions;
pub mod status;
pub mod upkeep;
pub mod vault;

pub use hidden::is_hidden;
pub use sensitive::Sensitive;

/// A JSON object whose members are not ours to name.
pub type Object = serde_json::Map<String, serde_json::Value>;

/// Header that names the agent session a call belongs to.
pub const SESSION_HEADER: &str = "x-aileron-session-id";
/// Header that names a request, in both directions.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Header under which a repeated run finds the first one's outcome.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";

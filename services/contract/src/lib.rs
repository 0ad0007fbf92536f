//! The contracts between the rooms: traits, the domain types they speak, one [`Error`], one
//! [`Context`] and every bound of the house in [`limits`].
//!
//! Deliberately absent: input and output, tonic, axum, SQL, clocks. A type here is valid by
//! construction; whoever holds one need not check it again.

// One contract each: a trait, and the types only it speaks.
pub mod access;
pub mod audit;
pub mod bindings;
pub mod custody;
pub mod egress;
pub mod executor;
pub mod packages;
pub mod publishers;
pub mod sessions;
pub mod vault;

// What all of them speak.
pub mod context;
pub mod credential;
pub mod error;
pub mod failure;
pub mod json;
pub mod limits;
pub mod names;
pub mod secret;
pub mod tally;
pub mod trace;

mod closed;

pub use access::Access;
pub use audit::Audit;
pub use bindings::Bindings;
pub use context::{Context, IdempotencyKey, Principal, Scope, Scopes};
pub use custody::Custody;
pub use egress::Egress;
pub use error::{Error, Kind, Reason, Result};
pub use executor::Executor;
pub use packages::Packages;
pub use publishers::Publishers;
pub use secret::Secret;
pub use sessions::Sessions;
pub use trace::TraceParent;
pub use vault::Vault;

/// A point in time, in UTC with nanoseconds.
pub use jiff::Timestamp;

/// A stream of results that ends with an error rather than silently.
pub type Stream<T> = futures::stream::BoxStream<'static, Result<T>>;

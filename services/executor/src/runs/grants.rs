//! Standing grants: calls that a person let run in advance, a few times, for one caller.

mod announce;
mod form;
mod manage;
mod record;
mod rules;
mod standing;
mod taking;
mod terms;
mod tokens;
mod told;

pub(crate) use form::caller_text;
pub(crate) use record::GrantRecord;
pub use tokens::Tokens;
pub(in crate::runs) use told::Grants;

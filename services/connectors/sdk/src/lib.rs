//! Write connectors for Aileron in Rust: operations as typed functions, requests with a
//! credential the connector never sees, and the published error classes.
//!
//! ```no_run
//! use aileron_sdk::{Connector, Request, Result};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Greet {
//!     name: String,
//! }
//!
//! fn greet(args: Greet) -> Result<std::collections::BTreeMap<&'static str, String>> {
//!     let url = format!("https://greetings.example/{}", args.name);
//!     let answer = Request::get(url).credential("api_key").send()?.success()?;
//!     Ok([("greeting", answer.text())].into())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     Connector::start().operation("greet", greet).finish()
//! }
//! ```
//!
//! Built for `wasm32-wasip1`. On other targets it compiles, for editors and tests, and every
//! request fails.

mod connector;
mod error;
mod http;
mod imports;

pub use connector::Connector;
pub use error::{Error, Result};
pub use http::{Request, Response};

/// Writes a line to the log of this call. Never log a secret; the runtime keeps the line.
pub fn log(level: &str, message: &str) {
    imports::log(level, message);
}

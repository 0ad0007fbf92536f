//! Write connectors for Aileron in Rust: operations as typed functions, requests with a
//! credential the connector never sees, and the published error classes.
//!
//! A connector is a program for `wasm32-wasip1`. Its operations are functions from arguments to
//! an output, named by [`connector!`]; `serde` derives how both are read and written:
//!
//! ```no_run
//! use aileron_sdk::{Request, Result, segment};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Greet {
//!     name: String,
//!     /// Optional arguments are options.
//!     language: Option<String>,
//! }
//!
//! #[derive(Serialize)]
//! struct Greeting {
//!     text: String,
//! }
//!
//! fn greet(arguments: Greet) -> Result<Greeting> {
//!     let url = format!("https://greetings.example/{}", segment(&arguments.name));
//!     let language = arguments.language.unwrap_or_else(|| "en".to_owned());
//!     let request = Request::get(url).query("language", &language).credential("api_key");
//!     Ok(Greeting { text: request.send()?.success()?.text() })
//! }
//!
//! aileron_sdk::connector!(greet);
//! ```
//!
//! An argument that is missing or of another type never reaches the function: the call fails with
//! `bad_input` and a sentence that names the argument. An upstream that refuses becomes
//! `external_api_error` or `unauthorized` through [`Response::success`]; everything else a
//! connector may fail with has a constructor in [`Error`].
//!
//! # Tests
//!
//! Off WebAssembly the crate compiles as well, and a stand-in for the runtime answers the
//! requests of a test: see the module `testing`. `aileron connector test` then runs the built
//! module in the real host.
//!
//! # Logging
//!
//! [`log`] writes a line to the log of the call. Standard error is kept too, so `eprintln!` works.

#![warn(missing_docs)]

mod arguments;
mod connector;
mod error;
mod http;
mod imports;
mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use arguments::NoArguments;
pub use connector::{Connector, Operation, operate};
pub use error::{Error, Result};
pub use http::{Request, Response, segment};
pub use log::{Level, log};

/// Makes a program of some operations: each is a function `fn(A) -> Result<O>` whose arguments
/// deserialize and whose output serializes to a JSON object. An operation is called as its
/// function is, unless it is given another name.
///
/// Defines `main`, and `CONNECTOR` for tests.
///
/// ```no_run
/// # use aileron_sdk::{NoArguments, Result};
/// # fn list(_: NoArguments) -> Result<NoArguments> { Ok(NoArguments {}) }
/// # fn create(_: NoArguments) -> Result<NoArguments> { Ok(NoArguments {}) }
/// aileron_sdk::connector!(list, "create-now" => create);
/// ```
#[macro_export]
macro_rules! connector {
    // Every operation has been brought into the form `name => function`.
    (@defined $($name:expr => $operation:path,)+) => {
        /// The operations of this connector.
        pub(crate) const CONNECTOR: $crate::Connector = $crate::Connector::new(&[
            $(($name, |arguments| $crate::operate($operation, arguments))),+
        ]);

        fn main() -> ::std::process::ExitCode {
            CONNECTOR.run()
        }
    };
    (@define [$($done:tt)*]) => { $crate::connector!(@defined $($done)*); };
    (@define [$($done:tt)*] $name:literal => $operation:path $(, $($rest:tt)*)?) => {
        $crate::connector!(@define [$($done)* $name => $operation,] $($($rest)*)?);
    };
    (@define [$($done:tt)*] $operation:ident $(, $($rest:tt)*)?) => {
        $crate::connector!(
            @define [$($done)* ::core::stringify!($operation) => $operation,] $($($rest)*)?
        );
    };
    (@define $($rest:tt)*) => {
        ::core::compile_error!("an operation is a function's name, or \"name\" => function");
    };
    ($($operations:tt)+) => { $crate::connector!(@define [] $($operations)+); };
}

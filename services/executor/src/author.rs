//! What a publisher does before anybody installs: a project from a template, its checks, the
//! packages of a release, their hashes and signatures. Deliberately absent: files, processes,
//! network; who calls reads the project and writes what comes out.

mod archive;
mod check;
mod key;
mod operations;
mod package;
mod release;
mod sources;
mod template;
#[cfg(test)]
mod tests;

pub use check::check;
pub use key::{PublicKey, SigningKey};
pub use operations::{Asked, asked, asked_by};
pub use package::{Package, Signed};
pub use release::{Release, release};
pub use sources::{ActionSource, SourceFile, Sources};
pub use template::{NewAction, NewFile, NewProject, Sdk};

/// The version that sources carry until a release replaces it.
pub const DEV_VERSION: &str = "0.0.0-dev";

/// The connector's hash in sources of actions, until a release replaces it.
pub const UNBOUND_HASH: &str = "sha256:bound-at-release";

/// A provider's client secret in a source manifest, until a release replaces it.
pub const UNBOUND_SECRET: &str = "bound-at-release";

/// What every package of a release is called.
pub use crate::formats::package::ARCHIVE as ASSET;

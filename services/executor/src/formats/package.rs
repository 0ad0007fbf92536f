//! The names of a package's files, as published: in archives, in the store, on a person's disk and
//! on a release page.

/// What every package of a release is packed as.
pub const ARCHIVE: &str = "aileron.tar.gz";
/// A connector's module.
pub const WASM: &str = "connector.wasm";
/// A connector that stands for a program and has no module.
pub const BIN: &str = "connector.bin";
pub const MANIFEST: &str = "manifest.toml";
pub const ACTION: &str = "action.md";
pub const SIGNATURE: &str = "signature.sig";
/// A list of actions. It is in no archive.
pub const SUITE: &str = "suite.toml";

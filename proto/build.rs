//! Generates the code from `aileron/**/*.proto`, in process: no `protoc` is needed.

#![allow(clippy::disallowed_methods, reason = "cargo tells a build script where to write")]

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: &[&str] = &[
    "aileron/common/v1/context.proto",
    "aileron/vault/v1/vault.proto",
    "aileron/vault/v1/access.proto",
    "aileron/vault/v1/bindings.proto",
    "aileron/vault/v1/custody.proto",
    "aileron/egress/v1/egress.proto",
    "aileron/executor/v1/executor.proto",
    "aileron/executor/v1/packages.proto",
    "aileron/executor/v1/publishers.proto",
    "aileron/launcher/v1/sessions.proto",
    "aileron/audit/v1/audit.proto",
];

/// Messages with a secret field: their `Debug` is written by hand and shows none.
const SECRET: &[&str] = &[
    ".aileron.common.v1.Oauth2Client",
    ".aileron.vault.v1.CreateRequest",
    ".aileron.vault.v1.UnlockRequest",
    ".aileron.vault.v1.ChangePassphraseRequest",
    ".aileron.vault.v1.PutSecretRequest",
    ".aileron.vault.v1.BindRequest",
    ".aileron.vault.v1.OpenSessionRequest",
    ".aileron.vault.v1.OpenSessionResponse",
    ".aileron.vault.v1.MintResponse",
    ".aileron.vault.v1.AuthenticateRequest",
    ".aileron.vault.v1.AdmitAgentResponse",
    ".aileron.vault.v1.BeginSetupResponse",
    ".aileron.vault.v1.FinishSetupRequest",
    ".aileron.vault.v1.CallbackRequest",
    ".aileron.vault.v1.BeginDeviceResponse",
    ".aileron.vault.v1.PollDeviceRequest",
    ".aileron.vault.v1.LoginValue",
    ".aileron.vault.v1.AddRecoveryKeyResponse",
    ".aileron.vault.v1.RecoverRequest",
    ".aileron.vault.v1.ExportRequest",
    ".aileron.vault.v1.ImportRequest",
    ".aileron.egress.v1.FetchRequest",
    ".aileron.launcher.v1.BeginResponse",
];

/// Bodies are handed on without copying.
const BODIES: &[&str] = &[
    ".aileron.egress.v1.SendRequest.piece",
    ".aileron.egress.v1.OutcomeFrame.piece",
    ".aileron.executor.v1.BringRequest.archive",
    ".aileron.executor.v1.LocalFile.content",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=aileron");
    println!("cargo:rerun-if-changed=build.rs");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("aileron.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::configure();
    for path in BODIES {
        config = config.bytes(*path);
    }
    config.skip_debug(SECRET).btree_map(".").include_file("aileron.rs").compile_fds(descriptors)?;
    Ok(())
}

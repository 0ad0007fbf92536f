//! The contracts on the wire: code generated from `aileron/**/*.proto`, and nothing else.
//!
//! Only `aileron-wire` uses it. Domain types live in `aileron-contract`; a value of this package
//! has not been checked by anybody.

// Generated code follows no style of ours.
#![allow(clippy::all, clippy::pedantic)]

use std::fmt;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/aileron.rs"));
}

pub use generated::aileron::{audit, common, egress, executor, launcher, vault};

/// All contracts as an encoded `google.protobuf.FileDescriptorSet`, for reflection and for
/// generating clients in other languages.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aileron.bin"));

macro_rules! opaque {
    ($($message:path),* $(,)?) => {
        $(impl fmt::Debug for $message {
            /// Its fields hold a secret.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), "(..)"))
            }
        })*
    };
}

opaque!(
    common::v1::Oauth2Client,
    vault::v1::CreateRequest,
    vault::v1::UnlockRequest,
    vault::v1::ChangePassphraseRequest,
    vault::v1::PutSecretRequest,
    vault::v1::BindRequest,
    vault::v1::OpenSessionRequest,
    vault::v1::OpenSessionResponse,
    vault::v1::MintResponse,
    vault::v1::AuthenticateRequest,
    vault::v1::AdmitAgentResponse,
    vault::v1::BeginSetupResponse,
    vault::v1::FinishSetupRequest,
    vault::v1::CallbackRequest,
    vault::v1::BeginDeviceResponse,
    vault::v1::PollDeviceRequest,
    vault::v1::LoginValue,
    vault::v1::AddRecoveryKeyResponse,
    vault::v1::RecoverRequest,
    vault::v1::ExportRequest,
    vault::v1::ImportRequest,
    egress::v1::FetchRequest,
    launcher::v1::BeginResponse,
);

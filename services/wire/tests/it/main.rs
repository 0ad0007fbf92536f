//! Each contract's promises, in process and over gRPC, and what is the transport's own: who may
//! connect, what is cut, refused, late or restarted.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod authority;
mod cut;
mod fakes;
mod mutual_tls;
mod promises;
mod samples;
mod served;
mod trace;
mod transport;

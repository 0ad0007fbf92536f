//! The one place where requests leave the house.
//!
//! [`Service`] keeps the promises of [`contract::Egress`](aileron_contract::Egress): who may be
//! reached is decided before a name is resolved, which address is dialled after, and a credential
//! is joined last, to the one host it was consented for.

use std::path::PathBuf;

use aileron_contract::names::HostPort;

pub mod credentials;

pub use credentials::{Credentials, Resolved};

/// How requests leave.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// PEM files with certificate authorities to trust besides the system's.
    pub extra_roots: Vec<PathBuf>,
    /// Hosts that `fetch` may reach although they resolve to private or loopback addresses.
    pub private_hosts: Vec<HostPort>,
}

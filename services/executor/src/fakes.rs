//! Stand-ins for other services that packages and runs are tried with alike.

use aileron_contract::{Error, Result};

mod bindings;
mod fuse;
mod vault;

pub(crate) use bindings::FakeBindings;
pub(crate) use fuse::Fuse;
pub(crate) use vault::FakeVault;

fn unused<T>() -> Result<T> {
    Err(Error::internal("not part of this test"))
}

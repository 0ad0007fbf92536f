//! Stand-ins for other services, and samples, that the tests of several parts share.

use aileron_contract::{
    Error, Result,
    executor::{Input, InputKind},
};

mod bindings;
mod fuse;
mod vault;

pub(crate) use bindings::FakeBindings;
pub(crate) use fuse::Fuse;
pub(crate) use vault::FakeVault;

/// An input with nothing special about it.
pub(crate) fn input(name: &str, kind: InputKind, required: bool) -> Input {
    Input {
        name: name.to_owned(),
        kind,
        items: None,
        required,
        description: "d".to_owned(),
        label: None,
        multiline: false,
        declared: None,
    }
}

fn unused<T>() -> Result<T> {
    Err(Error::internal("not part of this test"))
}

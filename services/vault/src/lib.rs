//! aileron-vault

pub mod egress;

//! The host as its callers see it, with guests written as text.

mod abi;
mod go;
mod limits;
mod loading;
mod neighbours;
mod notes;
mod ranges;
mod support;

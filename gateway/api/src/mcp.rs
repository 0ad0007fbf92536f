//! Actions as tools of the Model Context Protocol: one [`Server`] for both doors, the program
//! `aileron-mcp` over standard input and output and `/mcp` of the gateway.
//!
//! What a tool is called, what it says of itself, and what a model reads of a run is decided here,
//! over the shapes of the REST API; how the runtime is reached is the [`Door`]'s.
//!
//! Deliberately absent: any decision. A tool that needs approval answers with what a person has to
//! do, and nothing that arrives here counts as that person's word.
//!
//! **Text from outside.** Descriptions come from action files, results from upstreams: both may
//! have been written to mislead a model. They are passed on faithfully and within bounds, with
//! every character a reader would not see (controls, bidirectional marks, zero-width and tag
//! characters) escaped. In a result, which is a JSON document, the escape is JSON's own, so that
//! the document stays the same. What a text says is not judged.

pub mod bounds;
mod diagnosis;
mod door;
mod elicit;
mod names;
mod outcome;
mod server;
mod text;
mod tools;
mod written;

pub use door::{Door, Ran, Trouble};
pub use server::{Options, Server};
pub use tools::{Catalogue, Tool};
pub use written::Written;

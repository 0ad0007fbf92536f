//! Readers of the file formats: connector manifests, action files, suites, the lockfile. Schemas
//! are closed, every refusal names its file and line, and what was read is valid by construction.
//! Deliberately absent: files, network, time.

use std::fmt;

use aileron_contract::{Error, Reason, failure::Class, limits};

pub mod action;
pub mod frontmatter;
pub mod hub;
pub mod lock;
pub mod manifest;
pub mod package;
mod spawn;
pub mod suite;
mod table;
#[cfg(test)]
mod tests;

/// Why a file was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    kind: ProblemKind,
    message: String,
    file: String,
    line: u32,
}

/// The two published classes of such refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not the syntax, or not the schema.
    Parse,
    /// The schema, with a value that breaks a rule.
    Validation,
}

impl Problem {
    /// `line` counts from 1; 0 when there is none to name.
    pub fn new(
        kind: ProblemKind,
        message: impl Into<String>,
        file: impl Into<String>,
        line: u32,
    ) -> Self {
        Self { kind, message: cut(message.into()), file: file.into(), line }
    }

    /// `parse_error` or `validation_error`.
    pub fn class(&self) -> Class {
        match self.kind {
            ProblemKind::Parse => Class::ParseError,
            ProblemKind::Validation => Class::ValidationError,
        }
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.message, self.file, self.line)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let reason = match problem.kind {
            ProblemKind::Parse => Reason::ParseError,
            ProblemKind::Validation => Reason::ValidationError,
        };
        Self::new(reason, problem.to_string())
            .with_details(serde_json::json!({ "file": problem.file, "line": problem.line }))
    }
}

/// A file may be as long as its reader lets it, what is said about it may not.
fn cut(mut message: String) -> String {
    if message.len() > limits::PROBLEM_TEXT {
        message.truncate(message.floor_char_boundary(limits::PROBLEM_TEXT));
        message.push('…');
    }
    message
}

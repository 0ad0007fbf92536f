//! The bounds of the MCP server, for both of its doors. `GET /v1/limits` lists them: the runtime's
//! own list repeats them, and a test of the gateway holds the two against each other.

use std::time::Duration;

/// Calls of one client under way at once; further ones are refused.
pub const CALLS: usize = 64;
/// Tools of one page, in bytes of text: hosts bound the length of a message.
pub const PAGE: usize = 512 * 1024;
/// A longer text is cut, with a mark that says where the whole is: a model reads all of it.
pub const TEXT: usize = 512 * 1024;
/// Larger results come as text alone, rather than twice.
pub const STRUCTURED: usize = 256 * 1024;
/// A description is read with every request to the model: a longer one is cut.
pub const DESCRIPTION: usize = 16 * 1024;
/// The same for what an argument means.
pub const ARGUMENT: usize = 2 * 1024;
/// A refusal is quoted in the diagnosis up to here.
pub const QUOTED: usize = 2 * 1024;
/// Questions of one client that are open at once; what waits beyond them is told in the result
/// alone.
pub const QUESTIONS: usize = 8;
/// How long a client may leave one open.
pub const QUESTION_WALL: Duration = Duration::from_mins(10);
/// The longest message of one.
pub const QUESTION: usize = 4 * 1024;

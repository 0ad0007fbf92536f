//! Signing a browser in to the web page.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Sensitive;

/// A code that signs a browser in, once: posted to `page_url` + `/sign-in/code` as the form field
/// `code`, with `to` for the page to go to.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PageCode {
    pub id: String,
    #[schema(inline)]
    pub code: Sensitive,
    /// The page's own name, without a path.
    pub page_url: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PageCodeState {
    /// `waiting`, `used`, `replayed` (used more than once: somebody else has seen it) or `gone`
    pub state: String,
}

//! Text that must not be printed by accident.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};
use zeroize::Zeroize;

/// A passphrase, key or token on its way. Wiped when dropped; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The one door to the text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Hands the text on; the caller answers for wiping it.
    pub fn into_inner(mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Sensitive {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(..)")
    }
}

impl PartialSchema for Sensitive {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .into()
    }
}

impl ToSchema for Sensitive {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Sensitive")
    }
}

#[cfg(test)]
mod tests {
    use super::Sensitive;

    #[test]
    fn sensitive_text_travels_in_json_and_is_never_printed() {
        let passphrase: Sensitive = serde_json::from_str("\"canary\"").unwrap();
        assert_eq!(passphrase.expose(), "canary");
        assert!(!format!("{passphrase:?}").contains("canary"));
        assert_eq!(serde_json::to_string(&passphrase).unwrap(), "\"canary\"");
    }
}

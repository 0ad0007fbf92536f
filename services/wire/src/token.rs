//! The token by which parts of one runtime know each other: not every program of the same user
//! may dial in.

use std::fmt;

use aileron_contract::{Error, Reason, Result, Secret};
use subtle::ConstantTimeEq;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

const HEADER: &str = "authorization";
const SCHEME: &str = "Bearer ";

/// 16 to 512 visible ASCII characters.
pub(crate) struct ServiceToken(Secret);

impl ServiceToken {
    pub(crate) fn new(token: Secret) -> Result<Self> {
        let sound = token.expose(|bytes| {
            (16..=512).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        });
        if sound {
            return Ok(Self(token));
        }
        Err(Error::new(
            Reason::ConfigInvalid,
            "a service token is 16 to 512 visible ASCII characters: let the runtime make one",
        ))
    }

    /// As the caller sends it: never printed, never kept in a header table.
    pub(crate) fn header(&self) -> Result<MetadataValue<Ascii>> {
        let mut value = self.0.expose(|bytes| {
            let line = [SCHEME.as_bytes(), bytes].concat();
            MetadataValue::try_from(line.as_slice()).map_err(Error::internal)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Does the call carry exactly this token, once? Compared in constant time.
    pub(crate) fn admits(&self, metadata: &MetadataMap) -> bool {
        let mut presented = metadata.get_all(HEADER).iter();
        let (Some(value), None) = (presented.next(), presented.next()) else {
            return false;
        };
        let Some(token) = value.as_bytes().strip_prefix(SCHEME.as_bytes()) else {
            return false;
        };
        self.0.expose(|expected| bool::from(expected.ct_eq(token)))
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceToken(..)")
    }
}

/// Puts the caller's token on a call.
pub(crate) fn present(metadata: &mut MetadataMap, token: &MetadataValue<Ascii>) {
    metadata.insert(HEADER, token.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Result<ServiceToken> {
        ServiceToken::new(Secret::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn only_the_exact_token_presented_once_is_admitted() {
        let ours = token("0123456789abcdef").unwrap();
        let mut metadata = MetadataMap::new();
        assert!(!ours.admits(&metadata));
        for raw in ["0123456789abcdef", "Bearer 0123456789abcdeX", "Bearer ", "Bearer 0123", ""] {
            metadata.insert(HEADER, raw.parse().unwrap());
            assert!(!ours.admits(&metadata), "{raw}");
        }
        metadata.insert(HEADER, ours.header().unwrap());
        assert!(ours.admits(&metadata));
        metadata.append(HEADER, ours.header().unwrap());
        assert!(!ours.admits(&metadata));
    }

    #[test]
    fn a_token_that_is_empty_short_or_odd_is_none() {
        for raw in ["", "short", "0123456789abcde\n", "0123456789abcde f"] {
            assert!(token(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let ours = token("0123456789abcdef").unwrap();
        let shown = format!("{ours:?} {:?}", ours.header().unwrap());
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
    }
}

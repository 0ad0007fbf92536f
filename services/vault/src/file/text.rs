//! How the file spells bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, de::Error as _};

pub(super) mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::file) fn serialize<S: Serializer>(
        bytes: &[u8],
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        writer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::file) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(reader)?;
        STANDARD.decode(text).map_err(|_| D::Error::custom("bytes that are not base64"))
    }
}

/// Like [`base64_bytes`], of exactly `N` bytes.
pub(super) mod base64_array {
    use serde::{Deserializer, Serializer, de::Error as _};

    use super::base64_bytes;

    pub(in crate::file) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        base64_bytes::serialize(bytes, writer)
    }

    pub(in crate::file) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        reader: D,
    ) -> Result<[u8; N], D::Error> {
        let bytes = base64_bytes::deserialize(reader)?;
        bytes.try_into().map_err(|_| D::Error::custom(format!("bytes that are not {N}")))
    }
}

/// Absent, null and empty text all mean that there is none.
pub(super) fn optional_base64<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<Vec<u8>>, D::Error> {
    match Option::<String>::deserialize(reader)? {
        Some(text) if !text.is_empty() => STANDARD
            .decode(text)
            .map(Some)
            .map_err(|_| D::Error::custom("bytes that are not base64")),
        _ => Ok(None),
    }
}

/// The published writer leaves `null` where there is nothing.
pub(super) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    reader: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(reader)?.unwrap_or_default())
}

//! A vault in a file that travels: one line of header, then one AES-256-GCM envelope.
//!
//! The header is JSON and says the format, its version, and how the passphrase becomes the key
//! (Argon2id with stated parameters). It is the envelope's associated data, byte by byte. Inside
//! is JSON as well: every entry with its path, labels and value. The keys of the vault itself are
//! not in it, nor are its members and pins: approvals and trust do not travel.

use std::collections::BTreeMap;

use aileron_contract::{Error, Reason, Result, limits};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    envelope,
    file::{Metadata, VaultFile, v2::NewPassphrase},
    kdf::Kdf,
    keys::Keys,
};

const FORMAT: &str = "aileron-vault-export";
const VERSION: u32 = 1;
const PURPOSE: &str = "aileron/vault-export/1";

/// A header is far shorter.
const HEADER_MAX: usize = 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    algorithm: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "base64")]
    salt: Vec<u8>,
}

/// What every version says of itself.
#[derive(Deserialize)]
struct Introduction {
    format: String,
    version: u32,
}

const ALGORITHM: &str = "argon2id-1.3";

/// One entry in the clear, wiped when it is dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plain {
    pub(super) metadata: Metadata,
    #[serde(with = "base64")]
    pub(super) value: Vec<u8>,
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// Everything a vault holds, by path.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) entries: BTreeMap<String, Plain>,
}

/// Seals every entry under the export's own passphrase.
pub(super) fn seal(file: &VaultFile, keys: &Keys, own: &NewPassphrase) -> Result<Vec<u8>> {
    let mut entries = BTreeMap::new();
    let mut length = 0_usize;
    for (path, sealed) in file.entries() {
        let value = file.open(keys, path)?.to_vec();
        // Before the whole is put together: base64 takes four bytes for three.
        length = length.saturating_add(value.len() / 3 * 4).saturating_add(path.len());
        if length > limits::VAULT_EXPORT {
            return Err(too_large());
        }
        entries.insert(path.clone(), Plain { metadata: sealed.metadata.clone(), value });
    }
    let contents = Contents { entries };
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, &contents).map_err(Error::internal)?;
    // At its full length from the start: a buffer that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(counted.0));
    serde_json::to_writer(&mut *plain, &contents).map_err(Error::internal)?;
    let Kdf { memory_kib, passes, lanes } = own.kdf;
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        algorithm: ALGORITHM.to_owned(),
        memory_kib,
        passes,
        lanes,
        salt: own.salt.clone(),
    };
    let mut sealed = serde_json::to_vec(&header).map_err(Error::internal)?;
    sealed.push(b'\n');
    let key = envelope::derive(&own.key, &own.salt, PURPOSE)?;
    let envelope = envelope::seal(&key, &sealed, &plain)?;
    sealed.extend(envelope);
    if sealed.len() > limits::VAULT_EXPORT {
        return Err(too_large());
    }
    Ok(sealed)
}

/// An export that has been read, not yet opened.
pub(super) struct Sealed<'a> {
    header: &'a [u8],
    envelope: &'a [u8],
    kdf: Kdf,
    salt: Vec<u8>,
}

impl<'a> Sealed<'a> {
    /// Parsing and bounds only.
    pub(super) fn parse(file: &'a [u8]) -> Result<Self> {
        if file.len() > limits::VAULT_EXPORT {
            return Err(too_large());
        }
        let head = file.get(..HEADER_MAX).unwrap_or(file);
        let end = head.iter().position(|byte| *byte == b'\n').ok_or_else(unreadable)?;
        let (header, envelope) = file.split_at_checked(end + 1).ok_or_else(unreadable)?;
        let said: Introduction = serde_json::from_slice(header).map_err(|_| unreadable())?;
        if said.format != FORMAT {
            return Err(unreadable());
        }
        if said.version != VERSION {
            return Err(Error::new(
                Reason::ExportUnreadable,
                format!(
                    "this export has version {}, and this program reads version {VERSION}: use \
                     the program that wrote it, or update",
                    said.version
                ),
            ));
        }
        let Header { format: _, version: _, algorithm, memory_kib, passes, lanes, salt } =
            serde_json::from_slice(header).map_err(|_| unreadable())?;
        let kdf = Kdf { memory_kib, passes, lanes }.bounded().map_err(|_| unreadable())?;
        if algorithm != ALGORITHM || !(16..=64).contains(&salt.len()) {
            return Err(unreadable());
        }
        Ok(Self { header, envelope, kdf, salt })
    }

    /// What has to be done to the passphrase.
    pub(super) fn challenge(&self) -> (Kdf, &[u8]) {
        (self.kdf, &self.salt)
    }

    /// The contents, by the key derived from the passphrase.
    pub(super) fn open(&self, own: &[u8; 32]) -> Result<Contents> {
        let key = envelope::derive(own, &self.salt, PURPOSE)?;
        let plain = envelope::open(&key, self.header, self.envelope).ok_or_else(|| {
            Error::new(
                Reason::ExportUnreadable,
                "this passphrase does not open the export, or the file was changed or cut short: \
                 nothing was taken over",
            )
        })?;
        serde_json::from_slice(&plain).map_err(|_| unreadable())
    }
}

fn unreadable() -> Error {
    Error::new(
        Reason::ExportUnreadable,
        "this is not an exported vault, or not a whole one: make it with `aileron vault export`",
    )
}

fn too_large() -> Error {
    Error::new(
        Reason::BodyTooLarge,
        format!("an exported vault has at most {} bytes (VAULT_EXPORT)", limits::VAULT_EXPORT),
    )
}

pub(crate) mod fuzz {
    //! An exported vault under edits.

    use zeroize::Zeroizing;

    use super::{Sealed, seal};
    use crate::{
        file::{
            Metadata, VaultFile,
            v2::{Draft, NewPassphrase},
        },
        kdf::Kdf,
    };

    /// An exported vault and the key that its passphrase derives.
    #[derive(Debug)]
    pub struct Export {
        file: Vec<u8>,
        key: Zeroizing<[u8; 32]>,
    }

    impl Export {
        /// With two entries; none when the system has no random bytes.
        pub fn new() -> Option<Self> {
            let kdf = Kdf { memory_kib: 8, passes: 1, lanes: 1 };
            let salt = vec![5; 16];
            let key = kdf.derive(b"open", &salt).ok()?;
            let own = NewPassphrase { kdf, salt, key: key.clone() };
            let (mut draft, keys) = Draft::create(&own).ok()?;
            for path in ["api_key/a/x", "secret/b"] {
                draft.put(&keys, path, Metadata::default(), path.as_bytes()).ok()?;
            }
            let vault = VaultFile::V2(draft.finish(&keys).ok()?);
            Some(Self { file: seal(&vault, &keys, &own).ok()?, key })
        }

        pub fn bytes(&self) -> &[u8] {
            &self.file
        }

        /// Do these bytes open as far as they should: the whole export, and nothing else?
        pub fn is_sound_about(&self, bytes: &[u8]) -> bool {
            let opens = Sealed::parse(bytes).is_ok_and(|sealed| sealed.open(&self.key).is_ok());
            opens == (bytes == self.file)
        }
    }
}

/// Bytes in base64, without leaving copies of them behind.
mod base64 {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], writer: S) -> Result<S::Ok, S::Error> {
        writer.serialize_str(&Zeroizing::new(STANDARD.encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<u8>, D::Error> {
        let text = <&str>::deserialize(reader)?;
        STANDARD.decode(text).map_err(|_| D::Error::custom("bytes that are not base64"))
    }
}

/// Counts what is written to it.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::file::v2::Draft;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_read_without_harm(bytes: Vec<u8>, headed: bool) {
            let header = br#"{"format":"aileron-vault-export","version":1"#;
            let bytes = if headed { [header.as_slice(), &bytes].concat() } else { bytes };
            prop_assert!(Sealed::parse(&bytes).is_err());
        }
    }

    #[test]
    fn a_vault_too_large_for_one_file_says_so() {
        let kdf = Kdf { memory_kib: 8, passes: 1, lanes: 1 };
        let salt = vec![5; 16];
        let own = NewPassphrase { key: kdf.derive(b"own", &salt).unwrap(), kdf, salt };
        let sealed = |length: usize| {
            let (mut draft, keys) = Draft::create(&own).unwrap();
            draft.put(&keys, "secret/large", Metadata::default(), &vec![7; length]).unwrap();
            seal(&VaultFile::V2(draft.finish(&keys).unwrap()), &keys, &own)
        };
        let refused = sealed(limits::VAULT_EXPORT / 4 * 3).unwrap_err();
        assert_eq!(refused.reason(), Reason::BodyTooLarge);
        let file = sealed(3_000).unwrap();
        let opened = Sealed::parse(&file).unwrap().open(&own.key).unwrap();
        assert_eq!(opened.entries["secret/large"].value, [7; 3_000]);
    }
}

//! The canonical form of a file (RFC 8785), written in one go: with ten thousand entries, sorting
//! what is sorted already took longer than everything else a write does.

use aileron_contract::{Error, Result as Checked, names::Sha256Hash};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{File, Member};
use crate::file::{Metadata, Sealed};

/// As [`json::digest`](aileron_contract::json::digest) of the file, its seal left out. None for a
/// file whose order here is not that of the canonical form.
pub(super) fn digest(domain: &str, file: &File) -> Option<Checked<Sha256Hash>> {
    ordered(file).then(|| {
        let canonical = serde_json::to_vec(&Sorted(file)).map_err(Error::internal)?;
        Ok(Sha256Hash::of(&[domain.as_bytes(), &[0], &canonical]))
    })
}

/// Names are sorted by UTF-16 there and by UTF-8 here: the same order but for characters above
/// U+DFFF. And numbers are those of JavaScript, exact up to 2^53.
fn ordered(file: &File) -> bool {
    let plain = |name: &String| name.bytes().all(|byte| byte < 0xee);
    let entry = |(path, sealed): (&String, &Sealed)| {
        plain(path) && sealed.metadata.labels.keys().all(plain)
    };
    file.header.generation < 1 << 53 && file.entries.iter().all(entry)
}

struct Sorted<'a>(&'a File);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let File { header, seal: _, entries } = self.0;
        let mut map = writer.serialize_map(None)?;
        map.serialize_entry("generation", &header.generation)?;
        map.serialize_entry("key_version", &header.key_version)?;
        map.serialize_entry("members", &header.members.iter().map(Holder).collect::<Vec<_>>())?;
        map.serialize_entry("pin_root", &Bytes(&header.pin_root))?;
        map.serialize_entry("seal", &Bytes(&[0; 32]))?;
        let entries = entries.iter().map(|(path, sealed)| (path, Entry(sealed)));
        map.serialize_entry("secrets", &Entries(entries))?;
        map.serialize_entry("vault", &Bytes(&header.vault))?;
        map.serialize_entry("version", &2)?;
        map.end()
    }
}

struct Entries<I>(I);

impl<'a, I: Iterator<Item = (&'a String, Entry<'a>)> + Clone> Serialize for Entries<I> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_map(self.0.clone())
    }
}

struct Entry<'a>(&'a Sealed);

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let Sealed { envelope, metadata } = self.0;
        let mut map = writer.serialize_map(Some(2))?;
        map.serialize_entry("metadata", &Labels(metadata))?;
        map.serialize_entry("value", &Bytes(envelope))?;
        map.end()
    }
}

struct Labels<'a>(&'a Metadata);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let Metadata { kind, environment, labels } = self.0;
        let mut map = writer.serialize_map(Some(3))?;
        map.serialize_entry("Environment", environment)?;
        map.serialize_entry("Labels", labels)?;
        map.serialize_entry("Type", kind)?;
        map.end()
    }
}

struct Holder<'a>(&'a Member);

impl Serialize for Holder<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        let mut map = writer.serialize_map(None)?;
        match self.0 {
            Member::Passphrase { kdf, salt, wrapped } => {
                map.serialize_entry("algorithm", "argon2id-1.3")?;
                map.serialize_entry("kind", "passphrase")?;
                map.serialize_entry("lanes", &kdf.lanes)?;
                map.serialize_entry("memory_kib", &kdf.memory_kib)?;
                map.serialize_entry("passes", &kdf.passes)?;
                map.serialize_entry("salt", &Bytes(salt))?;
                map.serialize_entry("wrapped_key", &Bytes(wrapped))?;
            }
            Member::Recovery { wrapped } => {
                map.serialize_entry("kind", "recovery")?;
                map.serialize_entry("wrapped_key", &Bytes(wrapped))?;
            }
        }
        map.end()
    }
}

struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.serialize_str(&STANDARD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};

    use super::*;
    use crate::{
        file::v2::{Header, text},
        kdf::Kdf,
    };

    fn member() -> impl Strategy<Value = Member> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        let kdf = (any::<u32>(), any::<u32>(), any::<u32>());
        prop_oneof![
            bytes().prop_map(|wrapped| Member::Recovery { wrapped }),
            (kdf, bytes(), bytes()).prop_map(|((memory_kib, passes, lanes), salt, wrapped)| {
                Member::Passphrase { kdf: Kdf { memory_kib, passes, lanes }, salt, wrapped }
            }),
        ]
    }

    fn file() -> impl Strategy<Value = File> {
        let name = || "[a-zA-Z/_.0-9]{0,6}|[\\x00-\\x7f]{0,4}|\\PC{0,3}|[\\u{d7ff}-\\u{10ffff}]";
        let labels = (".{0,3}", ".{0,3}", btree_map(name(), ".{0,4}", 0..4));
        let sealed = (prop::collection::vec(any::<u8>(), 0..9), labels).prop_map(
            |(envelope, (kind, environment, labels))| Sealed {
                envelope,
                metadata: Metadata { kind, environment, labels },
            },
        );
        let header = (any::<[u8; 16]>(), 0..=1_u64 << 54, any::<u32>());
        let members = prop::collection::vec(member(), 0..3);
        (header, members, btree_map(name(), sealed, 0..6)).prop_map(
            |((vault, generation, key_version), members, entries)| {
                let pin_root = vec![7; 5];
                let header = Header { vault, generation, key_version, pin_root, members };
                File { header, seal: [3; 32], entries }
            },
        )
    }

    proptest! {
        #[test]
        fn the_short_way_leads_to_the_same_digest(file in file()) {
            let (long, short) = (text::long_digest("d", &file).unwrap(), digest("d", &file));
            if let Some(short) = short {
                prop_assert_eq!(short.unwrap(), long);
            }
        }
    }

    #[test]
    fn names_that_sort_otherwise_in_utf_16_take_the_long_way() {
        let sealed = Sealed { envelope: Vec::new(), metadata: Metadata::default() };
        let header = Header {
            vault: [0; 16],
            generation: 1,
            key_version: 1,
            pin_root: Vec::new(),
            members: Vec::new(),
        };
        for (name, short) in [("api_key/a/b", true), ("ü/\u{d7ff}", true), ("\u{ff5e}", false)] {
            let entries = [(name.to_owned(), sealed.clone())].into();
            let file = File { header: header.clone(), seal: [0; 32], entries };
            assert_eq!(digest("d", &file).is_some(), short, "{name}");
        }
    }
}

//! How version 2 is spelled. Closed: an unknown key is a file of another age.

use std::collections::BTreeMap;

use aileron_contract::{Error, Result as Checked, json, limits, names::Sha256Hash};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{File, Header, Member, canonical};
use crate::{
    envelope,
    file::{FileError, Metadata, Sealed, text},
    kdf::Kdf,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    #[serde(with = "text::base64_array")]
    vault: [u8; 16],
    generation: u64,
    key_version: u32,
    #[serde(with = "text::base64_bytes")]
    pin_root: Vec<u8>,
    members: Vec<TextMember>,
    #[serde(with = "text::base64_array")]
    seal: [u8; 32],
    secrets: BTreeMap<String, TextEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum TextMember {
    Passphrase {
        algorithm: Algorithm,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        #[serde(with = "text::base64_bytes")]
        salt: Vec<u8>,
        #[serde(with = "text::base64_bytes")]
        wrapped_key: Vec<u8>,
    },
    Recovery {
        #[serde(with = "text::base64_bytes")]
        wrapped_key: Vec<u8>,
    },
}

#[derive(Serialize, Deserialize)]
enum Algorithm {
    #[serde(rename = "argon2id-1.3")]
    Argon2id,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextEntry {
    #[serde(with = "text::base64_bytes")]
    value: Vec<u8>,
    metadata: Metadata,
}

pub(super) fn parse(object: Map<String, Value>) -> Result<File, FileError> {
    let text: Text = serde_json::from_value(Value::Object(object))
        .map_err(|error| FileError::Malformed(error.to_string()))?;
    let Text { version: _, vault, generation, key_version, pin_root, members, seal, secrets } =
        text;
    if members.is_empty() || members.len() > limits::VAULT_MEMBERS {
        return Err(FileError::Malformed("its list of members has the wrong length".to_owned()));
    }
    let members: Vec<_> = members.into_iter().map(member).collect::<Result<_, _>>()?;
    let passphrases = members.iter().filter(|member| member.is_passphrase()).count();
    if passphrases > 1 || members.len() - passphrases > 1 {
        return Err(FileError::Malformed("it has two members of one kind".to_owned()));
    }
    let entries = secrets
        .into_iter()
        .map(|(path, TextEntry { value, metadata })| (path, Sealed { envelope: value, metadata }))
        .collect();
    let header = Header { vault, generation, key_version, pin_root, members };
    Ok(File { header, seal, entries })
}

pub(super) fn render(file: &File) -> Checked<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(&text(file)).map_err(Error::internal)?;
    text.push(b'\n');
    Ok(text)
}

/// Over everything the file says but its seal, in the canonical form, so that neither the order
/// of keys nor spaces matter, and everything else does.
pub(super) fn digest(file: &File) -> Checked<Sha256Hash> {
    const DOMAIN: &str = "aileron/vault/2/file";
    canonical::digest(DOMAIN, file).unwrap_or_else(|| long_digest(DOMAIN, file))
}

/// The same for any file.
pub(super) fn long_digest(domain: &str, file: &File) -> Checked<Sha256Hash> {
    let bare = Text { seal: [0; 32], ..text(file) };
    json::digest(domain, &bare)
}

fn text(file: &File) -> Text {
    let File { header, seal, entries } = file;
    let Header { vault, generation, key_version, pin_root, members } = header;
    Text {
        version: 2,
        vault: *vault,
        generation: *generation,
        key_version: *key_version,
        pin_root: pin_root.clone(),
        members: members.iter().map(text_member).collect(),
        seal: *seal,
        secrets: entries
            .iter()
            .map(|(path, Sealed { envelope, metadata })| {
                (path.clone(), TextEntry { value: envelope.clone(), metadata: metadata.clone() })
            })
            .collect(),
    }
}

fn member(member: TextMember) -> Result<Member, FileError> {
    let wrong = || FileError::Malformed("a member's bytes have the wrong length".to_owned());
    let sized = |key: Vec<u8>| {
        if key.len() == 32 + envelope::OVERHEAD { Ok(key) } else { Err(wrong()) }
    };
    match member {
        TextMember::Passphrase {
            algorithm: Algorithm::Argon2id,
            memory_kib,
            passes,
            lanes,
            salt,
            wrapped_key,
        } => {
            let kdf =
                Kdf { memory_kib, passes, lanes }.bounded().map_err(|_| FileError::Planted)?;
            if !(16..=64).contains(&salt.len()) {
                return Err(wrong());
            }
            Ok(Member::Passphrase { kdf, salt, wrapped: sized(wrapped_key)? })
        }
        TextMember::Recovery { wrapped_key } => {
            Ok(Member::Recovery { wrapped: sized(wrapped_key)? })
        }
    }
}

fn text_member(member: &Member) -> TextMember {
    match member {
        Member::Passphrase { kdf, salt, wrapped } => TextMember::Passphrase {
            algorithm: Algorithm::Argon2id,
            memory_kib: kdf.memory_kib,
            passes: kdf.passes,
            lanes: kdf.lanes,
            salt: salt.clone(),
            wrapped_key: wrapped.clone(),
        },
        Member::Recovery { wrapped } => TextMember::Recovery { wrapped_key: wrapped.clone() },
    }
}

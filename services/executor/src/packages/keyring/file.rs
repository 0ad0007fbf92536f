//! The format of `keyring.json`: version 2 is written, version 1 is read too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use aileron_contract::{Error, Reason, Result, names::Authority};
use serde::Deserialize;

use super::KeyMap;
use crate::packages::keys::{self, Key};

/// Keys by whose they are. Owners and repositories are told apart by the authority itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(KeyMap);

impl Keys {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Authority, &Key)> {
        self.0.iter().flat_map(|(authority, keys)| keys.iter().map(move |key| (authority, key)))
    }

    /// The keys of a repository: its own and its owner's.
    pub fn of(&self, authority: &Authority) -> BTreeSet<Key> {
        [authority.clone(), authority.owner()]
            .iter()
            .filter_map(|name| self.0.get(name))
            .flatten()
            .copied()
            .collect()
    }

    /// Adds a key; false when it was there.
    pub fn add(&mut self, authority: Authority, key: Key) -> bool {
        self.0.entry(authority).or_default().insert(key)
    }

    /// Removes the keys `unwanted` chooses and returns them.
    pub fn remove(&mut self, unwanted: impl Fn(&Authority, &Key) -> bool) -> Vec<(Authority, Key)> {
        let mut removed = Vec::new();
        for (authority, keys) in &mut self.0 {
            keys.retain(|key| {
                let goes = unwanted(authority, key);
                if goes {
                    removed.push((authority.clone(), *key));
                }
                !goes
            });
        }
        self.0.retain(|_, keys| !keys.is_empty());
        removed
    }

    /// The file's text: version 2, sorted, two spaces, `owners` only when there are some.
    pub fn text(&self) -> String {
        let (owners, publishers): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(authority, _)| authority.is_owner());
        let mut text = "{\n  \"version\": 2,\n".to_owned();
        if !owners.is_empty() {
            section(&mut text, "owners", &owners);
            text.push_str(",\n");
        }
        section(&mut text, "publishers", &publishers);
        text.push_str("\n}\n");
        text
    }
}

/// Reads a keyring file.
pub fn parse(bytes: &[u8]) -> Result<Keys> {
    let file: File = serde_json::from_slice(bytes)
        .map_err(|error| wrong(&format!("it is not the JSON of a keyring ({error})")))?;
    if !(file.version == 1 && file.owners.is_empty() || file.version == 2) {
        return Err(wrong(&format!("version {} with these entries is unknown", file.version)));
    }
    let mut keys = Keys::default();
    for (table, of_owners) in [(&file.owners, true), (&file.publishers, false)] {
        for (name, encoded) in table {
            let authority: Authority =
                name.parse().map_err(|_| wrong(&format!("{name:?} is no authority")))?;
            if authority.is_owner() != of_owners {
                return Err(wrong(&format!("{name:?} stands in the wrong table")));
            }
            for text in encoded {
                let key = keys::decode(text)
                    .ok_or_else(|| wrong(&format!("{name:?} has a key that cannot be read")))?;
                keys.add(authority.clone(), key);
            }
        }
    }
    Ok(keys)
}

#[derive(Deserialize)]
struct File {
    version: u32,
    #[serde(default)]
    owners: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    publishers: BTreeMap<String, Vec<String>>,
}

fn section(text: &mut String, name: &str, entries: &[(&Authority, &BTreeSet<Key>)]) {
    // An authority's grammar leaves nothing that JSON would have to escape.
    let list = entries.iter().map(|(authority, keys)| {
        let keys = keys.iter().map(|key| format!("      \"{}\"", keys::encode(key)));
        let keys: Vec<_> = keys.collect();
        format!("    \"{authority}\": [\n{}\n    ]", keys.join(",\n"))
    });
    let list: Vec<_> = list.collect();
    let written = if list.is_empty() {
        write!(text, "  \"{name}\": {{}}")
    } else {
        write!(text, "  \"{name}\": {{\n{}\n  }}", list.join(",\n"))
    };
    // Writing to a string does not fail.
    written.unwrap_or_default();
}

fn wrong(what: &str) -> Error {
    let text = format!(
        "keyring.json cannot be used: {what}. Trusting a publisher (aileron keyring trust) writes \
         a fresh one and keeps this file beside it"
    );
    Error::new(Reason::ValidationError, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "zQ+XqDem9XdybaOJylROIREFyDn3+R52NFDRauN6M4w=";

    #[test]
    fn a_version_two_file_is_written_as_published() {
        let mut keys = Keys::default();
        assert_eq!(keys.text(), "{\n  \"version\": 2,\n  \"publishers\": {}\n}\n");
        let key = keys::decode(KEY).unwrap();
        keys.add("github://acme".parse().unwrap(), key);
        keys.add("github://acme/tools".parse().unwrap(), key);
        let expected = serde_json::json!({
            "version": 2,
            "owners": { "github://acme": [KEY] },
            "publishers": { "github://acme/tools": [KEY] },
        });
        assert_eq!(keys.text(), format!("{}\n", serde_json::to_string_pretty(&expected).unwrap()));
        assert_eq!(parse(keys.text().as_bytes()).unwrap(), keys);
    }

    #[test]
    fn a_version_one_file_is_read() {
        let text = format!("{{\"version\":1,\"publishers\":{{\"github://a/b\":[\"{KEY}\"]}}}}");
        let keys = parse(text.as_bytes()).unwrap();
        assert_eq!(keys.of(&"github://a/b".parse().unwrap()).len(), 1);
        assert!(keys.of(&"github://a/c".parse().unwrap()).is_empty());
    }

    #[test]
    fn an_owners_key_serves_each_of_its_repositories() {
        let mut keys = Keys::default();
        keys.add("github://acme".parse().unwrap(), [7; 32]);
        assert_eq!(keys.of(&"github://acme/any".parse().unwrap()).len(), 1);
        assert!(keys.of(&"github://acm/any".parse().unwrap()).is_empty());
    }

    #[test]
    fn a_file_that_breaks_a_rule_is_refused() {
        for text in [
            String::new(),
            "[]".to_owned(),
            "{\"version\":3,\"publishers\":{}}".to_owned(),
            format!("{{\"version\":1,\"owners\":{{\"github://a\":[\"{KEY}\"]}}}}"),
            "{\"version\":2,\"publishers\":{\"\":[]}}".to_owned(),
            "{\"version\":2,\"publishers\":{\"github://a/b\":[\"AAAA\"]}}".to_owned(),
            format!("{{\"version\":2,\"owners\":{{\"github://a/b\":[\"{KEY}\"]}}}}"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.reason(), Reason::ValidationError, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(parse(&bytes));
        }
    }
}

//! A person's files, whether they come packed or loose: the same names, the same bounds.

use std::collections::BTreeMap;

use aileron_contract::{
    Error, Reason, Result, limits,
    packages::{LocalFile, LocalFiles},
};
use bytes::Bytes;

use super::Files;
use crate::{
    formats::package::{ACTION, BIN, MANIFEST, SIGNATURE, WASM},
    packages::tarball::{self, ActionFiles, ConnectorFiles, Malformed},
};

/// The files of a connector or of an action. Blocks.
pub(super) fn files(given: LocalFiles) -> Result<Files> {
    match given {
        LocalFiles::Archive(archive) => {
            within(archive.len())?;
            Ok(packed(&archive)?)
        }
        LocalFiles::Loose(files) => {
            within(files.iter().fold(0, |sum, file| file.content.len().saturating_add(sum)))?;
            Ok(loose(files)?)
        }
    }
}

fn within(size: usize) -> Result<()> {
    if size <= limits::LOCAL_PACKAGE {
        return Ok(());
    }
    let text = format!(
        "the package is larger than {} bytes (LOCAL_PACKAGE): publish it and install it from its \
         release",
        limits::LOCAL_PACKAGE
    );
    Err(Error::new(Reason::BodyTooLarge, text))
}

fn packed(archive: &[u8]) -> Result<Files, Malformed> {
    match tarball::connector(archive) {
        Ok(files) => Ok(Files::Connector(files)),
        // Nothing but an action has such a file.
        Err(Malformed::Unexpected(name)) if name.trim_start_matches("./") == ACTION => {
            tarball::action(archive).map(Files::Action)
        }
        // An action's signature may come first.
        Err(refused) => tarball::action(archive).map(Files::Action).map_err(|_| refused),
    }
}

fn loose(files: Vec<LocalFile>) -> Result<Files, Malformed> {
    let mut found: BTreeMap<&'static str, Bytes> = BTreeMap::new();
    for LocalFile { name, content } in files {
        let known = [WASM, BIN, MANIFEST, ACTION, SIGNATURE].into_iter().find(|it| *it == name);
        let Some(known) = known else { return Err(unexpected(&name)) };
        let most = most(known);
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > most {
            return Err(Malformed::FileTooLarge(name, most));
        }
        if found.insert(known, content).is_some() {
            return Err(Malformed::Twice(known));
        }
    }
    let signature = found
        .remove(SIGNATURE)
        .map(|bytes| bytes.as_ref().try_into().map_err(|_| Malformed::Signature(bytes.len())));
    let signature = signature.transpose()?;
    if let Some(action) = found.remove(ACTION) {
        return match found.into_keys().next() {
            Some(other) => Err(unexpected(other)),
            None => Ok(Files::Action(ActionFiles { action, signature })),
        };
    }
    let (binary_name, binary) = match (found.remove(WASM), found.remove(BIN)) {
        (Some(_), Some(_)) => return Err(Malformed::TwoBinaries),
        (Some(wasm), None) => (WASM, wasm),
        (None, Some(binary)) => (BIN, binary),
        (None, None) => return Err(Malformed::Missing(WASM)),
    };
    let manifest = found.remove(MANIFEST).ok_or(Malformed::Missing(MANIFEST))?;
    let signature = signature.ok_or(Malformed::Missing(SIGNATURE))?;
    Ok(Files::Connector(ConnectorFiles { binary_name, binary, manifest, signature }))
}

fn most(name: &str) -> u64 {
    match name {
        MANIFEST => u64::try_from(limits::MANIFEST).unwrap_or(u64::MAX),
        ACTION => u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX),
        SIGNATURE => 64,
        _ => limits::PACKAGE_UNPACKED,
    }
}

fn unexpected(name: &str) -> Malformed {
    Malformed::Unexpected(name.chars().take(80).flat_map(char::escape_debug).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(files: &[(&str, &[u8])]) -> LocalFiles {
        let file = |(name, content): &(&str, &[u8])| LocalFile {
            name: (*name).to_owned(),
            content: Bytes::copy_from_slice(content),
        };
        LocalFiles::Loose(files.iter().map(file).collect())
    }

    const SIGNED: (&str, &[u8]) = (SIGNATURE, &[9; 64]);
    const MODULE: (&str, &[u8]) = (WASM, b"\0asm");
    const MADE: (&str, &[u8]) = (MANIFEST, b"[connector]\n");
    const CALLED: (&str, &[u8]) = (ACTION, b"+++\n+++\n");

    #[test]
    fn loose_files_are_a_connector_or_an_action() {
        assert!(matches!(files(given(&[MODULE, MADE, SIGNED])), Ok(Files::Connector(_))));
        assert!(matches!(files(given(&[CALLED])), Ok(Files::Action(_))));
        assert!(matches!(files(given(&[SIGNED, CALLED])), Ok(Files::Action(_))));
    }

    #[test]
    fn loose_files_keep_the_rules_of_an_archive() {
        let long: &[u8] = &[9; 65];
        let wide = vec![b'x'; limits::MANIFEST + 1];
        let refused: [&[(&str, &[u8])]; 11] = [
            &[],
            &[MODULE, MADE],
            &[MODULE, SIGNED],
            &[MADE, SIGNED],
            &[MODULE, MADE, SIGNED, CALLED],
            &[MODULE, MODULE, MADE, SIGNED],
            &[MODULE, (BIN, b"x"), MADE, SIGNED],
            &[MODULE, MADE, (SIGNATURE, long)],
            &[MODULE, (MANIFEST, &wide), SIGNED],
            &[MODULE, MADE, SIGNED, ("../manifest.toml", b"x")],
            &[MODULE, MADE, SIGNED, ("Manifest.toml", b"x")],
        ];
        for wrong in refused {
            let names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
            let error = files(given(wrong)).expect_err(&format!("{names:?}"));
            assert_eq!(error.reason(), Reason::MalformedTarball, "{names:?}");
        }
    }

    #[test]
    fn a_package_past_the_bound_is_not_even_looked_at() {
        let large = Bytes::from(vec![0; limits::LOCAL_PACKAGE + 1]);
        let error = files(LocalFiles::Archive(large)).unwrap_err();
        assert_eq!(error.reason(), Reason::BodyTooLarge);
    }
}

//! Package archives: gzip'd tar, flat, a few files of known names, within bounds.

use std::io::{self, Read};

use aileron_contract::{Error, Reason, limits};
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

use crate::formats::package::{ACTION, BIN, MANIFEST, SIGNATURE, WASM};

/// The files of a connector's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorFiles {
    /// `connector.wasm` or `connector.bin`.
    pub binary_name: &'static str,
    pub binary: Bytes,
    pub manifest: Bytes,
    pub signature: [u8; 64],
}

/// The files of an action's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionFiles {
    pub action: Bytes,
    pub signature: Option<[u8; 64]>,
}

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("it is not a gzip'd tar archive: {0}")]
    Unreadable(io::Error),
    #[error("it unpacks to more than {} bytes", limits::PACKAGE_UNPACKED)]
    TooLarge,
    #[error("it holds more than {} entries", limits::PACKAGE_ENTRIES)]
    TooMany,
    #[error("{0} is longer than {1} bytes")]
    FileTooLarge(String, u64),
    #[error("{0} is neither a regular file nor a folder")]
    NotAFile(String),
    #[error("{0} does not belong into such a package")]
    Unexpected(String),
    #[error("{0} is there twice")]
    Twice(&'static str),
    #[error("it holds more than one connector binary")]
    TwoBinaries,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{SIGNATURE} is {0} bytes long instead of 64")]
    Signature(usize),
}

impl From<Malformed> for Error {
    fn from(cause: Malformed) -> Self {
        let text = format!("the package's archive was refused: {cause}; nothing was installed");
        Self::new(Reason::MalformedTarball, text)
    }
}

/// Unpacks a connector's archive in memory.
pub fn connector(archive: &[u8]) -> Result<ConnectorFiles, Malformed> {
    let mut files = unpack(archive, &[WASM, BIN, MANIFEST, SIGNATURE])?;
    let (binary_name, binary) = match (files.take(WASM), files.take(BIN)) {
        (Some(_), Some(_)) => return Err(Malformed::TwoBinaries),
        (Some(wasm), None) => (WASM, wasm),
        (None, Some(binary)) => (BIN, binary),
        (None, None) => return Err(Malformed::Missing(WASM)),
    };
    let manifest = files.take(MANIFEST).ok_or(Malformed::Missing(MANIFEST))?;
    let signature = files.take(SIGNATURE).ok_or(Malformed::Missing(SIGNATURE))?;
    Ok(ConnectorFiles { binary_name, binary, manifest, signature: raw_signature(&signature)? })
}

/// Unpacks an action's archive in memory.
pub fn action(archive: &[u8]) -> Result<ActionFiles, Malformed> {
    let mut files = unpack(archive, &[ACTION, SIGNATURE])?;
    let action = files.take(ACTION).ok_or(Malformed::Missing(ACTION))?;
    let signature = files.take(SIGNATURE).map(|bytes| raw_signature(&bytes)).transpose()?;
    Ok(ActionFiles { action, signature })
}

fn raw_signature(bytes: &Bytes) -> Result<[u8; 64], Malformed> {
    bytes.as_ref().try_into().map_err(|_| Malformed::Signature(bytes.len()))
}

/// Files found so far, by their known names.
#[derive(Default)]
struct Files(Vec<(&'static str, Bytes)>);

impl Files {
    fn take(&mut self, name: &str) -> Option<Bytes> {
        let at = self.0.iter().position(|(found, _)| *found == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn put(&mut self, name: &'static str, bytes: Bytes) -> Result<(), Malformed> {
        if self.0.iter().any(|(found, _)| *found == name) {
            return Err(Malformed::Twice(name));
        }
        self.0.push((name, bytes));
        Ok(())
    }
}

fn unpack(archive: &[u8], known: &[&'static str]) -> Result<Files, Malformed> {
    let bounded = Bounded { inner: MultiGzDecoder::new(archive), left: limits::PACKAGE_UNPACKED };
    let mut tar = tar::Archive::new(bounded);
    let mut files = Files::default();
    let mut count = 0_u32;
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        count += 1;
        if count > limits::PACKAGE_ENTRIES {
            return Err(Malformed::TooMany);
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = || path.chars().take(80).flat_map(char::escape_debug).collect::<String>();
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            let sound = path.split('/').all(|part| part != "..") && !path.starts_with('/');
            if !sound {
                return Err(Malformed::Unexpected(shown()));
            }
            continue;
        }
        // Git archives begin with such a comment for the whole file; it names nothing.
        if kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() {
            return Err(Malformed::NotAFile(shown()));
        }
        let plain = path.strip_prefix("./").unwrap_or(&path);
        let Some(name) = known.iter().find(|name| **name == plain) else {
            return Err(Malformed::Unexpected(shown()));
        };
        files.put(name, contents(&mut entry, name)?)?;
    }
    Ok(files)
}

fn contents(entry: &mut impl Read, name: &'static str) -> Result<Bytes, Malformed> {
    let most = match name {
        MANIFEST => u64::try_from(limits::MANIFEST).unwrap_or(u64::MAX),
        ACTION => u64::try_from(limits::ACTION_FILE).unwrap_or(u64::MAX),
        SIGNATURE => 1024,
        _ => limits::PACKAGE_UNPACKED,
    };
    // What the header claims about the length is not believed: the buffer grows with what comes.
    let mut bytes = Vec::new();
    entry.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(broken)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(Malformed::FileTooLarge(name.to_owned(), most));
    }
    Ok(bytes.into())
}

/// Ends a stream with an error once it has given more than it may.
struct Bounded<R> {
    inner: R,
    left: u64,
}

/// Marks the end of the bound among other failures of reading.
#[derive(Debug, thiserror::Error)]
#[error("unpacked size exceeds the bound")]
struct PastBound;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let length = u64::try_from(read).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or_else(|| io::Error::other(PastBound))?;
        Ok(read)
    }
}

/// The bound when it was the bound, possibly wrapped by the tar reader; else unreadable.
fn broken(error: io::Error) -> Malformed {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(inner) = cause {
        if inner.is::<PastBound>() {
            return Malformed::TooLarge;
        }
        cause = match inner.downcast_ref::<io::Error>() {
            Some(wrapped) => {
                wrapped.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static))
            }
            None => inner.source(),
        };
    }
    Malformed::Unreadable(error)
}

#[cfg(test)]
mod tests;

//! One entry of the store on disk: a folder of three read-only files, there whole or not at all.
//! All functions block.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use aileron_contract::limits;
use aileron_store::files;

use crate::{
    formats::package::{BIN, MANIFEST, SIGNATURE, WASM},
    packages::tarball::ConnectorFiles,
};

const BINARIES: [&str; 2] = [WASM, BIN];

pub(super) fn read(folder: &Path) -> io::Result<ConnectorFiles> {
    let mut binary = Err(io::Error::from(io::ErrorKind::NotFound));
    for name in BINARIES {
        match files::read_own(&folder.join(name), limits::PACKAGE_UNPACKED) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => {
                binary = found.map(|bytes| (name, bytes));
                break;
            }
        }
    }
    let (binary_name, binary) = binary?;
    let most = u64::try_from(limits::MANIFEST).unwrap_or(u64::MAX);
    let manifest = files::read_own(&folder.join(MANIFEST), most)?;
    let signature = files::read_own(&folder.join(SIGNATURE), 64)?;
    let signature = signature
        .try_into()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "signature.sig is too short"))?;
    Ok(ConnectorFiles { binary_name, binary: binary.into(), manifest: manifest.into(), signature })
}

/// Writes into a temporary folder below `connectors` and renames it to `target`.
pub(super) fn write(connectors: &Path, target: &Path, files: &ConnectorFiles) -> io::Result<()> {
    let temporary = connectors.join("tmp");
    files::create_private_dir(&temporary)?;
    if let Some(parent) = target.parent() {
        files::create_private_dir(parent)?;
    }
    let mut random = [0_u8; 12];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let staging = temporary.join(format!("install-{}", hex::encode(random)));
    let written = write_into(&staging, files).and_then(|()| {
        // What stands there did not hash to its name.
        remove(target)?;
        fs::rename(&staging, target)?;
        fs::set_permissions(target, Permissions::from_mode(0o555))?;
        target.parent().map_or(Ok(()), files::sync_dir)
    });
    if written.is_err() {
        drop(remove(&staging));
    }
    written
}

/// Removes a folder, read-only ones below it included; nothing when there is none.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.is_dir() {
        return fs::remove_file(folder);
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for child in fs::read_dir(folder)? {
        remove(&child?.path())?;
    }
    fs::remove_dir(folder)
}

fn write_into(staging: &Path, files: &ConnectorFiles) -> io::Result<()> {
    files::create_private_dir(staging)?;
    let contents: [(&str, &[u8]); 3] = [
        (files.binary_name, &files.binary),
        (MANIFEST, &files.manifest),
        (SIGNATURE, &files.signature),
    ];
    for (name, bytes) in contents {
        let mut file: File =
            OpenOptions::new().create_new(true).write(true).mode(0o444).open(staging.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    files::sync_dir(staging)
}

//! The whole vault in one file, and back.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use aileron_api::{
    Sensitive,
    custody::{ExportVault, ImportVault},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{
    arguments::{VaultExportArguments, VaultImportArguments},
    connection::Connection,
    failure::{Failure, Result},
    terminal,
};

/// A longer file would be refused by the runtime.
const EXPORT_MAX: u64 = 16 * 1024 * 1024;

pub(super) async fn export(
    arguments: &VaultExportArguments,
    connection: &Connection<'_>,
) -> Result<()> {
    let file = &arguments.file;
    // Asked first: nobody types a passphrase for nothing.
    if file.symlink_metadata().is_ok() {
        return Err(taken(file));
    }
    let passphrase = new_of_file(arguments.export_passphrase_file.as_deref())?;
    let person = connection.person_alone_by(arguments.passphrase_file.as_deref()).await?;
    let exported = person.client.export_vault(&ExportVault { passphrase }).await;
    person.leave().await;
    let exported = exported?.value;
    let bytes = STANDARD.decode(exported.file);
    let bytes = bytes.map_err(|_| Failure::plain("the runtime answered with something else"))?;
    write_new(file, &bytes)?;
    let (entries, shown) = (exported.entries, file.display());
    connection.printer.tick(format!("{entries} entries are in {shown}, under its own passphrase"));
    Ok(())
}

pub(super) async fn import(
    arguments: &VaultImportArguments,
    connection: &Connection<'_>,
) -> Result<()> {
    let file = STANDARD.encode(terminal::verbatim(&arguments.file, EXPORT_MAX)?);
    let passphrase = if let Some(path) = &arguments.export_passphrase_file {
        terminal::from_file(path)?
    } else {
        askable()?;
        terminal::hidden("Passphrase of the file: ")?
    };
    let person = connection.person_alone_by(arguments.passphrase_file.as_deref()).await?;
    let body = ImportVault { file, passphrase, replace: arguments.replace };
    let imported = person.client.import_vault(&body).await;
    person.leave().await;
    let done = imported?.value;
    connection.printer.tick(format!(
        "{} entries were added, {} replaced, {} were there already",
        done.added, done.replaced, done.unchanged
    ));
    Ok(())
}

fn askable() -> Result<()> {
    if terminal::present() {
        return Ok(());
    }
    Err(Failure::plain(
        "the file has a passphrase of its own, and there is no terminal to ask for it at: give \
         --export-passphrase-file",
    ))
}

fn new_of_file(file: Option<&Path>) -> Result<Sensitive> {
    if let Some(path) = file {
        return terminal::from_file(path);
    }
    askable()?;
    let new = terminal::hidden("Passphrase for the file: ")?;
    if terminal::hidden("Confirm passphrase: ")? != new {
        return Err(Failure::plain("the two passphrases differ; nothing was written"));
    }
    Ok(new)
}

/// Whole, durable, readable by its owner only, and never over something.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| Failure::plain(format!("{} names no file", path.display())))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let half = folder.join(format!(".{}.{}.tmp", name.display(), ulid::Ulid::new()));
    let written = fill(&half, bytes).and_then(|()| place(&half, path));
    if written.is_err() {
        drop(fs::remove_file(&half));
    }
    match written {
        Ok(()) => File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Failure::file("write", path, error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(path)),
        Err(error) => Err(Failure::file("write", path, error)),
    }
}

fn fill(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Some file systems cannot rename without replacing; they can link.
fn place(half: &Path, path: &Path) -> io::Result<()> {
    match renameat_with(CWD, half, CWD, path, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            fs::hard_link(half, path)?;
            fs::remove_file(half)
        }
        placed => Ok(placed?),
    }
}

fn taken(path: &Path) -> Failure {
    Failure::plain(format!("{} is there already; it is never overwritten", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn an_export_is_private_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.export");
        write_new(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = write_new(&path, b"two").unwrap_err();
        assert!(refused.to_string().contains("never overwritten"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written stays");
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        write_new(&folder.path().join("link"), b"three").unwrap_err();
    }
}

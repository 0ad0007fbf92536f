//! Which package an argument means: a name with its version, a name whose newest version is asked
//! for, or files on this disk.

use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::Path,
};

use aileron_api::releases::{BringPackage, LocalPackage, NewestFilter, PackageFile};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    connection::{Connection, Person},
    failure::{Failure, Result},
};

/// A package, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) fqn: String,
    pub(super) version: String,
    /// Of files on this disk: exactly these are meant.
    pub(super) hash: Option<String>,
}

/// Finds the package that is meant. `kind` is `connector` or `action`.
pub(super) async fn wanted(
    connection: &Connection<'_>,
    person: &Person,
    kind: &str,
    argument: &str,
    version: Option<&str>,
) -> Result<Wanted> {
    if !argument.contains("://") {
        if version.is_some() {
            return Err(Failure::plain(
                "files on this disk have the version they say they have: leave --version out",
            ));
        }
        return local(connection, person, kind, Path::new(argument)).await;
    }
    let (fqn, version) = named(argument, version)?;
    let version = match version {
        Some(version) => version,
        None => newest(connection, person, &fqn).await?,
    };
    Ok(Wanted { fqn, version, hash: None })
}

/// Splits `fqn[@version]`; the version is named once, or not at all.
pub(super) fn named(fqn: &str, version: Option<&str>) -> Result<(String, Option<String>)> {
    match (fqn.rsplit_once('@'), version) {
        (None, version) => Ok((fqn.to_owned(), version.map(str::to_owned))),
        (Some((name, inline)), other) if other.is_none_or(|other| other == inline) => {
            Ok((name.to_owned(), Some(inline.to_owned())))
        }
        (Some(_), _) => Err(Failure::plain("the version is given twice, and differs")),
    }
}

async fn newest(connection: &Connection<'_>, person: &Person, fqn: &str) -> Result<String> {
    let printer = connection.printer;
    let filter = NewestFilter { fqn: fqn.to_owned(), include_prerelease: false };
    let working = printer.working(format!("looking up the newest version of {fqn}"));
    let found = person.client.newest(&filter).await;
    drop(working);
    let found = match found {
        Err(error) if Failure::lacks_right(&error) => {
            return Err(Failure::plain(format!(
                "this token may not look up versions: name one, like {fqn}@1.2.3, or mint it with \
                 packages:preview as well"
            )));
        }
        answer => answer?.value,
    };
    printer.say(format!("The newest version of {fqn} is {}", found.version));
    Ok(found.version)
}

async fn local(
    connection: &Connection<'_>,
    person: &Person,
    kind: &str,
    path: &Path,
) -> Result<Wanted> {
    let files = read(path)?;
    let working = connection.printer.working(format!("reading {}", path.display()));
    let found = person.client.bring(&files).await;
    drop(working);
    let LocalPackage { fqn, version, kind: found, hash } = found?.value;
    if found != kind {
        let command = match found.as_str() {
            "connector" => "aileron connector install",
            _ => "aileron action add",
        };
        return Err(Failure::plain(format!(
            "{} holds the {found} {fqn}: {command} {}",
            path.display(),
            path.display()
        )));
    }
    connection.printer.say(format!("{} is {fqn}@{version}", path.display()));
    Ok(Wanted { fqn, version, hash: Some(hash) })
}

/// What a package is packed as.
const ARCHIVE: &str = "aileron.tar.gz";
/// The files of a package, as in its archive.
const FILES: [&str; 5] =
    ["connector.wasm", "connector.bin", "manifest.toml", "action.md", "signature.sig"];
/// The runtime takes no more (`LOCAL_PACKAGE`).
const MOST: u64 = 32 * 1024 * 1024;

/// A package's archive, a folder that holds one or its files, or an action file alone.
fn read(path: &Path) -> Result<BringPackage> {
    if !path.is_dir() {
        let content = required(path)?;
        if path.extension().is_some_and(|extension| extension == "md") {
            return Ok(loose(vec![("action.md", content)]));
        }
        return Ok(packed(&content));
    }
    if let Some(archive) = optional(&path.join(ARCHIVE))? {
        return Ok(packed(&archive));
    }
    let mut found = Vec::new();
    for name in FILES {
        if let Some(content) = optional(&path.join(name))? {
            found.push((name, content));
        }
    }
    if found.iter().any(|(name, _)| *name != "signature.sig") {
        return Ok(loose(found));
    }
    Err(Failure::plain(format!(
        "{} is no package: it holds neither {ARCHIVE} nor a connector's files (connector.wasm, \
         manifest.toml, signature.sig) nor an action's (action.md). A package's name begins with \
         github://",
        path.display()
    )))
}

fn packed(archive: &[u8]) -> BringPackage {
    BringPackage { archive: Some(STANDARD.encode(archive)), files: None }
}

fn loose(files: Vec<(&str, Vec<u8>)>) -> BringPackage {
    let file = |(name, content): (&str, Vec<u8>)| PackageFile {
        name: name.to_owned(),
        content: STANDARD.encode(content),
    };
    BringPackage { archive: None, files: Some(files.into_iter().map(file).collect()) }
}

fn optional(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MOST.saturating_add(1)).read_to_end(&mut content));
    match read {
        Ok(_) if u64::try_from(content.len()).unwrap_or(u64::MAX) > MOST => {
            Err(Failure::plain(format!("{} is larger than {MOST} bytes", path.display())))
        }
        Ok(_) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", path, error)),
    }
}

fn required(path: &Path) -> Result<Vec<u8>> {
    optional(path)?.ok_or_else(|| {
        Failure::plain(format!(
            "{} is neither a file or folder here nor a name like github://owner/repo",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_once_or_not_at_all() {
        let split = |fqn, version| named(fqn, version).ok();
        let pair =
            |version: Option<&str>| Some(("github://a/b".to_owned(), version.map(str::to_owned)));
        assert_eq!(split("github://a/b", None), pair(None));
        assert_eq!(split("github://a/b", Some("1.0.0")), pair(Some("1.0.0")));
        assert_eq!(split("github://a/b@1.0.0", None), pair(Some("1.0.0")));
        assert_eq!(split("github://a/b@1.0.0", Some("1.0.0")), pair(Some("1.0.0")));
        assert_eq!(split("github://a/b@1.0.0", Some("2.0.0")), None);
    }

    #[test]
    fn a_folder_is_read_by_the_names_of_an_archive_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(folder.path().join(name), name).unwrap();
        for name in ["README.md", "key.pem", "signature.sig"] {
            write(name);
        }
        assert!(read(folder.path()).is_err());
        assert!(read(&folder.path().join("nothing")).is_err());
        write("action.md");
        let names = |read: BringPackage| -> Vec<String> {
            read.files.unwrap().into_iter().map(|file| file.name).collect()
        };
        assert_eq!(names(read(folder.path()).unwrap()), ["action.md", "signature.sig"]);
        let alone = read(&folder.path().join("README.md")).unwrap();
        assert_eq!(names(alone), ["action.md"]);
        write(ARCHIVE);
        let archive = Some(STANDARD.encode(ARCHIVE));
        assert_eq!(read(folder.path()).unwrap(), BringPackage { archive, files: None });
    }
}

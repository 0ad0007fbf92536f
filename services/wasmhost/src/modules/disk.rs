//! Compiled modules on disk. A file is machine code that runs inside our process, so it is
//! authenticated with a key of the home before the engine sees a byte of it.

use std::{
    fs::{self, DirBuilder, File},
    hash::{Hash, Hasher},
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use aileron_contract::{Error, Reason, Result, Secret, limits, names::Sha256Hash};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::Options;

/// Separates this use of the key from every other.
const DOMAIN: &[u8] = b"aileron compiled module 1\0";

/// Bytes of the code at a file's start.
const CODE: usize = 32;

const SUFFIX: &str = "module";

pub(super) struct Disk {
    folder: PathBuf,
    key: Secret,
    /// Which engine the files fit: its version, its settings, this processor.
    engine: [u8; 32],
}

/// Machine code this home wrote for exactly this module and engine.
struct Verified<'a>(&'a [u8]);

impl Disk {
    pub(super) fn open(options: Options, engine: &Engine) -> Result<Self> {
        let Options { cache_dir: folder, cache_key: key } = options;
        if key.len() < CODE {
            return Err(Error::internal("the module cache needs a key of at least 32 bytes"));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| {
            Error::new(
                Reason::StoreUnwritable,
                format!(
                    "the folder for compiled modules {} cannot be made; check its parent's owner \
                     and free space",
                    folder.display()
                ),
            )
            .caused_by(error)
        })?;
        Ok(Self { folder, key, engine: fingerprint(engine) })
    }

    /// The compiled module, if it is there and ours. One that is not is removed: it is damaged,
    /// or somebody else wrote it.
    pub(super) fn load(&self, engine: &Engine, hash: &Sha256Hash) -> Option<Module> {
        let path = self.path(hash);
        let file = match read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a compiled module cannot be read");
                return None;
            }
        };
        let loaded = self
            .verify(&file, hash)
            .ok_or_else(|| wasmtime::format_err!("its authentication code does not match"))
            .and_then(|verified| deserialize(engine, &verified));
        match loaded {
            Ok(module) => Some(module),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a compiled module is set aside");
                discard(&path);
                None
            }
        }
    }

    /// Writes the module whole or not at all. Not synced: a torn file fails its code, and the
    /// module is compiled again.
    pub(super) fn save(&self, module: &Module, hash: &Sha256Hash) -> io::Result<()> {
        let machine_code = module.serialize().map_err(io::Error::other)?;
        if machine_code.len() > limits::MODULE_CACHE_BYTES {
            return Ok(());
        }
        let code = self.code(hash, &machine_code).ok_or(io::ErrorKind::InvalidInput)?.finalize();
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(&self.folder)?;
        file.write_all(&code.into_bytes())?;
        file.write_all(&machine_code)?;
        file.persist(self.path(hash))?;
        self.prune(limits::MODULE_FILES)
    }

    fn path(&self, hash: &Sha256Hash) -> PathBuf {
        let engine = self.engine.first_chunk::<8>().map(hex::encode).unwrap_or_default();
        self.folder.join(format!("{}-{engine}.{SUFFIX}", hash.hex()))
    }

    fn code(&self, hash: &Sha256Hash, machine_code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut code = self.key.expose(Hmac::<Sha256>::new_from_slice).ok()?;
        code.update(DOMAIN);
        code.update(&self.engine);
        code.update(hash.bytes());
        code.update(machine_code);
        Some(code)
    }

    fn verify<'a>(&self, file: &'a [u8], hash: &Sha256Hash) -> Option<Verified<'a>> {
        let (code, machine_code) = file.split_first_chunk::<CODE>()?;
        self.code(hash, machine_code)?.verify_slice(code).ok()?;
        Some(Verified(machine_code))
    }

    /// Removes the files written longest ago, down to `keep`.
    fn prune(&self, keep: usize) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
                let written = fs::metadata(&path).and_then(|it| it.modified());
                files.push((written.unwrap_or(SystemTime::UNIX_EPOCH), path));
            }
        }
        files.sort();
        let excess = files.len().saturating_sub(keep);
        files.iter().take(excess).for_each(|(_, path)| discard(path));
        Ok(())
    }
}

#[expect(unsafe_code, reason = "loading machine code is what the disk cache is for")]
fn deserialize(engine: &Engine, verified: &Verified<'_>) -> wasmtime::Result<Module> {
    // SAFETY: the bytes came out of `Module::serialize` in this home: `Verified` is made only by
    // `Disk::verify`, after an HMAC over them, the module's hash and the engine's fingerprint
    // under a key nobody else has. The engine checks its version and settings once more.
    unsafe { Module::deserialize(engine, verified.0) }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let max = limits::MODULE_CACHE_BYTES.saturating_add(CODE);
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if len > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(len);
    file.take(u64::try_from(max).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn discard(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "a compiled module cannot be removed");
    }
}

fn fingerprint(engine: &Engine) -> [u8; 32] {
    let mut digest = Digesting(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.finalize().into()
}

/// Feeds what is hashed to SHA-256: the standard hasher's 64 bits may change with the compiler.
struct Digesting(Sha256);

impl Hasher for Digesting {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;

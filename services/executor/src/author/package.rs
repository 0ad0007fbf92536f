//! One package of a release: what is hashed, signed and packed.

use aileron_contract::{
    Error, Reason, Result, limits,
    names::{PackageRef, Sha256Hash},
};

use super::{DEV_VERSION, PublicKey, SigningKey, UNBOUND_SECRET, archive, sources::contains};
use crate::formats::{
    action, manifest,
    package::{ACTION, MANIFEST, SIGNATURE, WASM},
};

/// A connector or an action at a released version: no placeholder is left in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    reference: PackageRef,
    prerelease: bool,
    /// In the order in which they are hashed and signed.
    files: Vec<(&'static str, Vec<u8>)>,
}

/// A package and its publisher's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub package: Package,
    pub signature: [u8; 64],
}

impl Package {
    /// A connector, from its module and its manifest.
    pub fn connector(module: Vec<u8>, manifest: Vec<u8>) -> Result<Self> {
        if !module.starts_with(b"\0asm") {
            let text = format!("{WASM} is no WebAssembly module: build it for wasm32-wasip1");
            return Err(Error::new(Reason::ValidationError, text));
        }
        let size = u64::try_from(module.len()).unwrap_or(u64::MAX);
        if size > limits::PACKAGE_UNPACKED {
            let text = format!("{WASM} is longer than {} bytes", limits::PACKAGE_UNPACKED);
            return Err(Error::new(Reason::ValidationError, text));
        }
        let read = manifest::parse(&manifest, MANIFEST)?;
        let files = vec![(WASM, module), (MANIFEST, manifest)];
        Self { reference: read.package, prerelease: false, files }.released(MANIFEST)
    }

    /// An action, from its file.
    pub fn action(file: Vec<u8>) -> Result<Self> {
        let read = action::parse(&file, ACTION)?;
        if read.version != read.source.version {
            let text = format!("{ACTION} is version {} of {}", read.version, read.source);
            return Err(Error::new(Reason::ValidationError, text));
        }
        Self { reference: read.source, prerelease: true, files: vec![(ACTION, file)] }
            .released(ACTION)
    }

    /// Reads a package that was packed before from the files of its folder.
    pub fn read(mut files: Vec<(String, Vec<u8>)>) -> Result<Self> {
        let mut take = |name: &str| {
            let at = files.iter().position(|(found, _)| found == name)?;
            Some(files.swap_remove(at).1)
        };
        match (take(WASM), take(MANIFEST), take(ACTION)) {
            (Some(module), Some(manifest), None) => Self::connector(module, manifest),
            (None, None, Some(action)) => Self::action(action),
            _ => {
                let text = format!("a package is {WASM} and {MANIFEST}, or {ACTION}");
                Err(Error::new(Reason::ValidationError, text))
            }
        }
    }

    /// What people ask for.
    pub fn reference(&self) -> &PackageRef {
        &self.reference
    }

    /// The tag of the release it is the asset of.
    pub fn tag(&self) -> String {
        let (path, version) = (self.reference.fqn.subpath(), &self.reference.version);
        if path.is_empty() { format!("v{version}") } else { format!("{path}/v{version}") }
    }

    /// Is its release flagged so? An action's is, so that the connector's stays the latest.
    pub fn prerelease(&self) -> bool {
        self.prerelease
    }

    pub fn hash(&self) -> Sha256Hash {
        let parts: Vec<_> = self.files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        Sha256Hash::of(&parts)
    }

    /// Its files without the signature, in the order in which they are signed.
    pub fn files(&self) -> &[(&'static str, Vec<u8>)] {
        &self.files
    }

    pub fn sign(self, key: &SigningKey) -> Signed {
        let signature = key.sign(&self.message());
        Signed { package: self, signature }
    }

    /// What the signature covers.
    fn message(&self) -> Vec<u8> {
        self.files.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }

    fn released(self, file: &str) -> Result<Self> {
        let text = self.files.last().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        for placeholder in [DEV_VERSION, UNBOUND_SECRET] {
            if contains(text, placeholder.as_bytes()) {
                let text = format!(
                    "{file} of {} still holds the placeholder {placeholder}",
                    self.reference.fqn
                );
                return Err(Error::new(Reason::ValidationError, text));
            }
        }
        Ok(self)
    }
}

impl Signed {
    /// Was it signed by the holder of `key`, as it is?
    pub fn verified_by(&self, key: &PublicKey) -> bool {
        key.verifies(&self.package.message(), &self.signature)
    }

    /// The asset of its release; the same files give the same bytes.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let mut files: Vec<(&str, &[u8])> =
            self.package.files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        files.push((SIGNATURE, &self.signature));
        archive::pack(&files).map_err(Error::internal)
    }
}

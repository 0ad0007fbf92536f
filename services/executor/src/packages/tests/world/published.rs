//! What a publisher puts on the web.

use std::io::Write as _;

use aileron_contract::names::{PackageRef, Sha256Hash};
use ed25519_dalek::Signer as _;
use flate2::{Compression, write::GzEncoder};

use super::World;
use crate::packages::Sources;

impl World {
    /// Publishes a connector of this publisher and returns its hash.
    pub(in crate::packages::tests) fn connector(
        &self,
        package: &str,
        manifest: &str,
    ) -> Sha256Hash {
        let package: PackageRef = package.parse().unwrap();
        let wasm = b"\0asm\x01\0\0\0";
        let message = [&wasm[..], manifest.as_bytes()].concat();
        let signature = self.publisher.sign(&message).to_bytes();
        let files: [(&str, &[u8]); 3] = [
            ("connector.wasm", wasm),
            ("manifest.toml", manifest.as_bytes()),
            ("signature.sig", &signature),
        ];
        self.web.put(&release(&package), 200, tarball(&files));
        Sha256Hash::of(&[&message])
    }

    /// Publishes a signed action.
    pub(in crate::packages::tests) fn action(&self, package: &str, text: &str) {
        let package: PackageRef = package.parse().unwrap();
        let signature = self.publisher.sign(text.as_bytes()).to_bytes();
        let files: [(&str, &[u8]); 2] =
            [("action.md", text.as_bytes()), ("signature.sig", &signature)];
        self.web.put(&release(&package), 200, tarball(&files));
    }

    /// Publishes the connector `notes` and the action `list`, and returns the connector's hash.
    pub(in crate::packages::tests) fn notes(&self) -> Sha256Hash {
        let hash = self.connector("github://acme/notes@1.0.0", &manifest("1.0.0"));
        let text = action("list", "github://acme/notes/actions/list@1.0.0", hash, "");
        self.action("github://acme/notes/actions/list@1.0.0", &text);
        hash
    }
}

pub(in crate::packages::tests) fn manifest(version: &str) -> String {
    format!(
        "[connector]\nname = \"github://acme/notes\"\nversion = \"{version}\"\n\n\
         [capabilities.network]\nhosts = [\"notes.example:443\"]\n\n\
         [capabilities.credential]\nkind = \"api_key\"\nscope = \"your notes\"\n"
    )
}

/// An action with one step; `more` goes before the fence.
pub(in crate::packages::tests) fn action(
    name: &str,
    source: &str,
    connector: Sha256Hash,
    more: &str,
) -> String {
    let version = source.rsplit_once('@').unwrap().1;
    format!(
        "+++\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n\n\
         [match]\nintent = \"read notes\"\n\n\
         [[requires.connectors]]\nname = \"github://acme/notes\"\nversion = \"1.0.0\"\n\
         hash = \"{connector}\"\ncapabilities = [\"list\"]\n\n\
         [[execute]]\nid = \"list\"\nconnector = \"github://acme/notes\"\nop = \"list\"\n{more}\
         +++\n# Notes\n"
    )
}

pub(in crate::packages::tests) fn release(package: &PackageRef) -> String {
    Sources::github().unwrap().archive(package).unwrap().to_string()
}

pub(in crate::packages::tests) fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

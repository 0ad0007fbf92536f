//! Packages made to order: of any text, signed by anybody, packed in any way, at the published
//! addresses of a GitHub.

use aileron_api::{
    client::Client,
    packages::{InstallActionRequest, InstallConnectorRequest, TrustKey},
};
use aileron_node::demo::Servers;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};

/// The smallest module there is.
pub(crate) const NOTHING: &[u8] = b"\0asm\x01\0\0\0";

const NOTES: &[u8] = include_bytes!("../../services/connectors/starter/notes.wasm");

/// Somebody who publishes in one repository.
pub(crate) struct Publisher {
    pub(crate) repository: String,
    pub(crate) signer: SigningKey,
    wasm: &'static [u8],
}

impl Publisher {
    /// `repository` is `owner/name`; each `seed` is another key.
    pub(crate) fn new(repository: &str, seed: u8) -> Self {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        Self { repository: repository.to_owned(), signer, wasm: NOTHING }
    }

    /// The same with a connector that does something: the starter's.
    pub(crate) fn of_notes(repository: &str, seed: u8) -> Self {
        Self { wasm: NOTES, ..Self::new(repository, seed) }
    }

    pub(crate) fn fqn(&self) -> String {
        format!("github://{}", self.repository)
    }

    pub(crate) fn action_fqn(&self, name: &str) -> String {
        format!("{}/actions/{name}", self.fqn())
    }

    pub(crate) fn key(&self) -> String {
        STANDARD.encode(self.signer.verifying_key().as_bytes())
    }

    /// Puts the key where the repository publishes it.
    pub(crate) fn publish_key(&self, servers: &Servers) {
        servers.publish(format!("/raw/{}/HEAD/keys/publisher.pub", self.repository), self.key());
    }

    pub(crate) async fn is_trusted_by(&self, person: &Client) {
        let trust = TrustKey { authority: self.fqn(), key: self.key() };
        person.trust_key(&trust).await.unwrap();
    }

    /// Where the archive of a tag is served.
    pub(crate) fn release(&self, tag: &str) -> String {
        let tag = tag.replace('/', "%2F");
        format!("/{}/releases/download/{tag}/aileron.tar.gz", self.repository)
    }

    pub(crate) fn manifest(&self, version: &str, hosts: &[&str]) -> String {
        format!(
            "[connector]\nname = \"{}\"\nversion = \"{version}\"\n\n\
             [capabilities.network]\nhosts = {hosts:?}\n\n\
             [capabilities.credential]\nkind = \"api_key\"\nscope = \"your notes\"\n",
            self.fqn()
        )
    }

    /// A signed connector's archive.
    pub(crate) fn connector(&self, manifest: &str) -> Vec<u8> {
        let message = [self.wasm, manifest.as_bytes()].concat();
        let signature = self.signer.sign(&message).to_bytes();
        tarball(&[
            ("connector.wasm", self.wasm),
            ("manifest.toml", manifest.as_bytes()),
            ("signature.sig", &signature),
        ])
    }

    /// Publishes a sound connector and returns its hash.
    pub(crate) fn publish_connector(
        &self,
        servers: &Servers,
        version: &str,
        hosts: &[&str],
    ) -> String {
        let manifest = self.manifest(version, hosts);
        servers.publish(self.release(&format!("v{version}")), self.connector(&manifest));
        self.hash(&manifest)
    }

    /// The hash of the connector with this manifest.
    pub(crate) fn hash(&self, manifest: &str) -> String {
        let digest = Sha256::digest([self.wasm, manifest.as_bytes()].concat());
        format!("sha256:{}", hex::encode(digest))
    }

    /// An action of one step, which needs the connector of this repository in its own version.
    pub(crate) fn action_text(&self, name: &str, version: &str, connector: &str) -> String {
        let fqn = self.fqn();
        format!(
            "+++\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = \"{fqn}/actions/{name}@{version}\"\n\n\
             [[requires.connectors]]\nname = \"{fqn}\"\nversion = \"{version}\"\n\
             hash = \"{connector}\"\ncapabilities = [\"list\"]\n\n\
             [match]\nintent = \"List notes\"\n\n\
             [[execute]]\nid = \"list\"\nconnector = \"{fqn}\"\nop = \"list\"\n+++\nLists.\n"
        )
    }

    /// A signed action's archive.
    pub(crate) fn action(&self, text: &[u8]) -> Vec<u8> {
        let signature = self.signer.sign(text).to_bytes();
        tarball(&[("action.md", text), ("signature.sig", &signature)])
    }

    pub(crate) fn publish_action(&self, servers: &Servers, name: &str, version: &str, text: &str) {
        let tag = format!("actions/{name}/v{version}");
        servers.publish(self.release(&tag), self.action(text.as_bytes()));
    }

    pub(crate) fn connector_request(&self, version: &str) -> InstallConnectorRequest {
        InstallConnectorRequest {
            fqn: self.fqn(),
            version: version.to_owned(),
            expected_hash: None,
        }
    }

    pub(crate) fn action_request(&self, name: &str, version: &str) -> InstallActionRequest {
        InstallActionRequest {
            fqn: self.action_fqn(name),
            version: version.to_owned(),
            auto_install_connectors: true,
            ..InstallActionRequest::default()
        }
    }
}

pub(crate) fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // By hand: the library refuses the names that attackers choose.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// One entry that is no file: a link to somewhere.
pub(crate) fn with_link(kind: tar::EntryType, name: &str, to: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    archive.append_link(&mut header, name, to).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

/// Little that unpacks to much.
pub(crate) fn bomb(mebibytes: usize) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header = tar::Header::new_gnu();
    header.set_path("connector.wasm").unwrap();
    header.set_size((mebibytes as u64) << 20);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let block = vec![0_u8; 1 << 20];
    for _ in 0..mebibytes {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

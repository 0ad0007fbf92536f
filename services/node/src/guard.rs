//! What guards the doors between roles: the service token, and certificates between hosts.

use std::{net::SocketAddr, path::Path};

use aileron_contract::{Error, Reason, Result, Secret, limits};
use aileron_store::files;
use aileron_wire::tls::{self, Material};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use crate::{
    config::{Config, Door, Role, Tls},
    services::random,
};

/// The service token, the daemon's own token, and our certificate.
pub(crate) struct Guard {
    pub(crate) token: Option<Secret>,
    pub(crate) daemon_token: Secret,
    material: Option<Material>,
}

impl Guard {
    /// In a split the daemon token is derived from the service token, so that the gateway, which
    /// publishes it, and the vault, which checks it, agree; otherwise it is new at every start.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let token = config.services.token_file.as_deref().map(read_token).transpose()?;
        let seed = match &token {
            Some(token) => token.expose(|token| {
                aileron_contract::names::Sha256Hash::of(&[b"aileron daemon token v1\0", token])
                    .hex()
            }),
            None => hex::encode(random::<32>()?),
        };
        let material = config.services.tls.as_ref().map(read_material).transpose()?;
        Ok(Self { token, daemon_token: Secret::from(format!("ald_{seed}")), material })
    }

    /// The way to a role that runs elsewhere.
    pub(crate) fn channel(&self, config: &Config, role: Role) -> Result<aileron_wire::Channel> {
        let missing = || {
            let needed = format!(
                "services.{role} and services.token_file are needed: {role} runs elsewhere"
            );
            Error::new(Reason::ConfigInvalid, needed)
        };
        let token = self.token.as_ref().ok_or_else(missing)?.duplicate();
        match config.services.of(role).ok_or_else(missing)? {
            Door::Socket(socket) => aileron_wire::connect(socket, token),
            Door::Tls { address, .. } => {
                let address = address.as_ref().ok_or_else(missing)?.to_string();
                tls::connect(&address, role.text(), self.material()?, token)
            }
        }
    }

    /// The door of a role that runs here, open to those roles alone that have business with it.
    pub(crate) fn listen(&self, address: SocketAddr, role: Role) -> Result<tls::Listener> {
        tls::listen(address, self.material()?, callers(role))
    }

    fn material(&self) -> Result<&Material> {
        self.material.as_ref().ok_or_else(|| {
            let needed = "services.tls: authority, certificate and key are needed between hosts";
            Error::new(Reason::ConfigInvalid, needed)
        })
    }
}

/// Who calls a role.
const fn callers(role: Role) -> &'static [&'static str] {
    match role {
        Role::Gateway => &[],
        Role::Executor | Role::Launcher => &["gateway"],
        Role::Vault => &["gateway", "executor", "launcher"],
        Role::Audit => &["gateway", "executor", "vault", "launcher"],
    }
}

fn read_material(files: &Tls) -> Result<Material> {
    let authority = read_certificates("services.tls.authority", &files.authority)?;
    let certificate = read_certificates("services.tls.certificate", &files.certificate)?;
    let named = Named("services.tls.key", &files.key);
    let key = Secret::new(named.read_private(limits::TLS_FILE)?);
    key.expose(|pem| PrivateKeyDer::from_pem_slice(pem).map(drop))
        .map_err(|error| named.wrong("not a private key in PEM").caused_by(error))?;
    Ok(Material { certificate, key, authority })
}

fn read_certificates(key: &'static str, path: &Path) -> Result<String> {
    let named = Named(key, path);
    let bytes = named.read(limits::TLS_FILE)?;
    let certificates = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => {
            String::from_utf8(bytes).map_err(|_| named.wrong("not text"))
        }
        _ => Err(named.wrong("no certificate in PEM")),
    }
}

/// A token file holds at least 32 characters, is ours alone and is read once.
fn read_token(path: &Path) -> Result<Secret> {
    let named = Named("services.token_file", path);
    let text =
        String::from_utf8(named.read_private(4_096)?).map_err(|_| named.wrong("not text"))?;
    let token = text.trim();
    if token.len() < 32 || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(named.wrong("at least 32 visible characters are needed (openssl rand -hex 32)"));
    }
    Ok(Secret::from(token.to_owned()))
}

/// A file, by the key that names it.
struct Named<'p>(&'static str, &'p Path);

impl Named<'_> {
    fn read(&self, max: u64) -> Result<Vec<u8>> {
        files::read_bounded(self.1, max)
            .map_err(|error| self.wrong("not readable").caused_by(error))
    }

    fn read_private(&self, max: u64) -> Result<Vec<u8>> {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(self.1)
            .map_err(|error| self.wrong("not readable").caused_by(error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(self.wrong("others may read it: chmod 600"));
        }
        self.read(max)
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(Reason::ConfigInvalid, format!("{} {}: {what}", self.0, self.1.display()))
    }
}

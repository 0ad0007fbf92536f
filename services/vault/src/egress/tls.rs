//! Whom we believe to be who they say.

use std::{path::Path, sync::Arc};

use aileron_contract::{Error, Reason, Result};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::Options;

/// The system's roots and the configured ones; TLS 1.2 and 1.3 with ring; HTTP/2 preferred.
pub(crate) fn client(options: &Options) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
    }
    let (added, ignored) = roots.add_parsable_certificates(native.certs);
    tracing::debug!(added, ignored, "certificate authorities of the system");
    for path in &options.extra_roots {
        add(&mut roots, path)?;
    }
    if roots.is_empty() {
        tracing::warn!("no certificate authority is known: every https request will be refused");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let refused = |why: &str| {
        let path = path.display();
        Error::new(Reason::ConfigInvalid, format!("{path} {why}; name a PEM file of authorities"))
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(|error| refused("cannot be read").caused_by(error))?;
    let before = roots.len();
    for certificate in certificates {
        let certificate =
            certificate.map_err(|error| refused("is not a PEM file").caused_by(error))?;
        roots
            .add(certificate)
            .map_err(|error| refused("holds what is no certificate").caused_by(error))?;
    }
    if roots.len() == before {
        return Err(refused("holds no certificate"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_authorities_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roots.pem");
        for content in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, content).unwrap();
            let options = Options { extra_roots: vec![path.clone()], ..Options::default() };
            let error = client(&options).unwrap_err();
            assert_eq!(error.reason(), Reason::ConfigInvalid);
            assert!(error.public().contains("roots.pem"));
        }
    }
}

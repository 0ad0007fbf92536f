//! Which addresses are acceptable, and the connection to them.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use reqwest::{Url, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{Error, Result};

/// A daemon on this machine answers at once; one across the world within this.
const CONNECT_WALL: Duration = Duration::from_secs(10);

/// Reads the base address: HTTPS, or HTTP to this machine; no user, query or fragment.
pub(super) fn base(raw: &str) -> Result<Url> {
    let refused = |why: &str| Error::Endpoint { url: shown(raw), why: why.into() };
    let mut url = Url::parse(raw).map_err(|error| refused(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it must not carry a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it must not carry a query or fragment"));
    }
    match url.scheme() {
        "https" => {}
        "http" if on_this_machine(&url) => {}
        "http" => {
            return Err(refused("use https:// for another machine, or the token is readable"));
        }
        _ => return Err(refused("use https://, or http:// for this machine")),
    }
    let trimmed = url.path().trim_end_matches('/').to_owned();
    url.set_path(&trimmed);
    Ok(url)
}

/// A client that follows nothing and asks no proxy.
pub(super) fn client(base: &Url, extra_root: Option<&Path>) -> Result<reqwest::Client> {
    let roots = match base.scheme() {
        "https" => roots(extra_root)?,
        _ => RootCertStore::empty(),
    };
    let refused = |error: &dyn std::fmt::Display| Error::Endpoint {
        url: shown(base.as_str()),
        why: error.to_string(),
    };
    let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_WALL)
        .https_only(base.scheme() == "https")
        .user_agent(concat!("aileron/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| refused(&error))
}

fn roots(extra: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(native.certs);
    if let Some(path) = extra {
        let refused = |why: String| Error::Root { path: path.to_owned(), why };
        let listed =
            CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
        for certificate in listed {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            store.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
    }
    Ok(store)
}

fn on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The address without what may be secret in it.
fn shown(raw: &str) -> String {
    match raw.split_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => raw.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn a_token_travels_in_clear_on_this_machine_only() {
        for raw in [
            "http://127.0.0.1:1/v1",
            "http://[::1]:1/v1",
            "http://localhost:1/v1/",
            "https://a.example/v1",
        ] {
            assert!(base(raw).is_ok(), "{raw}");
        }
        for raw in [
            "http://a.example/v1",
            "http://127.0.0.1.example/v1",
            "http://localhost.example/v1",
            "http://192.168.1.2/v1",
            "https://user:secret@a.example/v1",
            "https://a.example/v1?x=1",
            "ftp://127.0.0.1/v1",
            "127.0.0.1:1/v1",
            "",
        ] {
            assert!(base(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_refused_address_does_not_show_its_password() {
        let error = base("https://user:secret@a.example/v1").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_trailing_slash_changes_nothing() {
        assert_eq!(base("http://127.0.0.1:1/v1/").unwrap().as_str(), "http://127.0.0.1:1/v1");
    }
}

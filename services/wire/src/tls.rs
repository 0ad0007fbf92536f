//! TCP between hosts: TLS on both sides under a private certificate authority. A peer is the
//! role its certificate names (a DNS name such as `vault`), nothing else.

use std::{net::SocketAddr, sync::Arc};

use aileron_contract::{Error, Result, Secret};
use rustls_pki_types::CertificateDer;
use tonic::transport::{
    Certificate, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig, server::TcpIncoming,
};

use crate::channel::{Channel, tuned, unusable};

/// PEM texts: who we are and whom we believe.
#[derive(Debug)]
pub struct Material {
    /// Our certificate chain, naming our own role.
    pub certificate: String,
    pub key: Secret,
    /// The private authority. Public authorities are never believed.
    pub authority: String,
}

impl Material {
    fn identity(&self) -> Identity {
        self.key.expose(|key| Identity::from_pem(&self.certificate, key))
    }

    fn authority(&self) -> Certificate {
        Certificate::from_pem(&self.authority)
    }
}

/// A bound address and whom it answers.
#[derive(Debug)]
pub struct Listener {
    incoming: TcpIncoming,
    config: ServerTlsConfig,
    peers: Peers,
}

/// Binds an address. Only peers whose certificate names one of `peers` will be answered. Needs a
/// running tokio runtime.
pub fn listen(address: SocketAddr, material: &Material, peers: &[&str]) -> Result<Listener> {
    let incoming = TcpIncoming::bind(address)
        .map_err(|error| unusable(format!("cannot listen on {address}")).caused_by(error))?
        // The builder's setting does not reach connections accepted here, and without it
        // larger calls wait for delayed acknowledgements.
        .with_nodelay(Some(true));
    let config =
        ServerTlsConfig::new().identity(material.identity()).client_ca_root(material.authority());
    Ok(Listener { incoming, config, peers: Peers::new(peers) })
}

impl Listener {
    /// The address bound, with the port the system chose.
    pub fn address(&self) -> Result<SocketAddr> {
        self.incoming.local_addr().map_err(Error::internal)
    }

    pub(crate) fn into_parts(self) -> (TcpIncoming, ServerTlsConfig, Peers) {
        (self.incoming, self.config, self.peers)
    }
}

/// A channel to the service at `address` (`host:port`), whose certificate must name `role`.
/// Lazy, as [`connect`](crate::connect) is; needs a running tokio runtime.
pub fn connect(address: &str, role: &str, material: &Material, token: Secret) -> Result<Channel> {
    let config = ClientTlsConfig::new()
        .identity(material.identity())
        .ca_certificate(material.authority())
        .domain_name(role);
    let endpoint = Endpoint::from_shared(format!("https://{address}"))
        .and_then(|endpoint| tuned(endpoint).tls_config(config))
        .map_err(|error| {
            unusable(format!(
                "cannot prepare TLS to {address}: check the address and the certificate files"
            ))
            .caused_by(error)
        })?;
    Channel::new(endpoint.connect_lazy(), token)
}

/// Roles whose calls are answered.
#[derive(Clone, Debug)]
pub(crate) struct Peers(Arc<[Box<str>]>);

impl Peers {
    fn new(roles: &[&str]) -> Self {
        Self(roles.iter().map(|role| Box::from(*role)).collect())
    }

    /// Does the peer's own certificate, the first of its verified chain, name one of the roles?
    pub(crate) fn admit(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some(own) = chain.first() else { return false };
        let Ok(certificate) = webpki::EndEntityCert::try_from(own) else { return false };
        certificate.valid_dns_names().any(|name| self.0.iter().any(|role| **role == *name))
    }
}

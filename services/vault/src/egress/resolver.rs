//! Names to addresses.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use aileron_contract::{limits, names::HostPort};
use async_trait::async_trait;
use tokio::net::TcpStream;

use super::{address::Place, policy::Permit, problem::Problem};

/// How names become addresses. The system's resolver, unless the composition brings another.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of a name, in the order to try them.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct System;

#[async_trait]
impl Resolver for System {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Resolves a host once and checks *every* address: one that may not be dialled refuses the name,
/// because a name that leads both outside and inside is being rebound. The addresses returned are
/// the ones to dial; nobody resolves again.
pub(crate) async fn checked(
    resolver: &Arc<dyn Resolver>,
    host: &HostPort,
    permit: Permit,
) -> Result<Vec<SocketAddr>, Problem> {
    let found = match host.address() {
        Some(address) => vec![address],
        None => resolver
            .addresses(host.host())
            .await
            .map_err(|_| Problem::Unresolved { host: host.clone() })?,
    };
    let mut addresses = Vec::with_capacity(found.len());
    for address in found {
        let place = Place::of(address);
        if !permit.allows(place) {
            return Err(Problem::AddressRefused { host: host.clone(), place });
        }
        let address = SocketAddr::new(address.to_canonical(), host.port());
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(Problem::Unresolved { host: host.clone() });
    }
    Ok(interleaved(addresses))
}

/// Connects to the first address that answers, a new one joining the race every quarter second
/// (RFC 8305).
pub(crate) async fn connected(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    use futures::{StreamExt, stream::FuturesUnordered};

    let mut waiting = addresses.into_iter();
    let mut racing = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let next = waiting.next();
        let more = next.is_some();
        if let Some(address) = next {
            racing.push(TcpStream::connect(address));
        } else if racing.is_empty() {
            return Err(failure);
        }
        let head_start = if more { HEAD_START } else { limits::CONNECT_WALL };
        match tokio::time::timeout(head_start, racing.next()).await {
            Ok(Some(Ok(stream))) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Some(Err(error))) => failure = error,
            Ok(None) | Err(_) => {}
        }
    }
}

/// How long an address is tried alone.
const HEAD_START: Duration = Duration::from_millis(250);

/// Alternates between the address families, beginning with the resolver's choice.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (chosen, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut other = other.into_iter();
    let mut mixed = Vec::with_capacity(limits::EGRESS_ADDRESSES);
    for address in chosen {
        mixed.push(address);
        mixed.extend(other.next());
    }
    mixed.extend(other);
    mixed.truncate(limits::EGRESS_ADDRESSES);
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(&'static [&'static str]);

    #[async_trait]
    impl Resolver for Fixed {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    async fn check(addresses: &'static [&'static str], permit: Permit) -> Result<usize, Problem> {
        let resolver: Arc<dyn Resolver> = Arc::new(Fixed(addresses));
        let host = "api.example.com:443".parse().unwrap();
        checked(&resolver, &host, permit).await.map(|addresses| addresses.len())
    }

    #[tokio::test]
    async fn one_address_inside_refuses_the_name() {
        let mixed = check(&["93.184.216.34", "10.0.0.1"], Permit::Public).await;
        assert!(matches!(mixed, Err(Problem::AddressRefused { place: Place::Private, .. })));
        assert_eq!(check(&["93.184.216.34", "93.184.216.34"], Permit::Public).await.unwrap(), 1);
        assert!(check(&[], Permit::Public).await.is_err());
    }

    #[tokio::test]
    async fn loopback_in_the_disguise_of_ipv6_is_refused() {
        for disguise in [&["::ffff:127.0.0.1"], &["64:ff9b::7f00:1"], &["0.0.0.0"]] {
            assert!(check(disguise, Permit::Public).await.is_err(), "{disguise:?}");
        }
    }

    #[test]
    fn families_take_turns() {
        let addresses: Vec<SocketAddr> = ["[2606::1]:1", "[2606::2]:1", "1.1.1.1:1", "1.1.1.2:1"]
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        let mixed: Vec<bool> = interleaved(addresses).iter().map(SocketAddr::is_ipv6).collect();
        assert_eq!(mixed, [true, false, true, false]);
    }
}

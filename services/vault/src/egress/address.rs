//! Which addresses may be dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address leads to, as far as a guest's request is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The public Internet: for everybody.
    Public,
    /// This machine.
    Loopback,
    /// A private network: RFC 1918, carrier-grade NAT, unique-local.
    Private,
    /// The same wire.
    LinkLocal,
    /// Where clouds hand out credentials. Never, whatever was consented to.
    Metadata,
    /// Unspecified, multicast, documentation, benchmarking, translated and reserved ranges: no
    /// service of a person lives there. Never.
    Reserved,
}

impl Place {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => v4(address),
            IpAddr::V6(address) => v6(address),
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "this machine (loopback)",
            Self::Private => "a private network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata service",
            Self::Reserved => "a reserved address",
        }
    }
}

/// Link-local services of clouds, and those that hide in ranges that look harmless.
const METADATA_V4: &[Ipv4Addr] = &[
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 169, 253),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

fn v4(address: Ipv4Addr) -> Place {
    if METADATA_V4.contains(&address) {
        return Place::Metadata;
    }
    match address.octets() {
        [127, ..] => Place::Loopback,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Place::Private,
        [169, 254, ..] => Place::LinkLocal,
        // this network, IETF, documentation, 6to4 relays, benchmarking, multicast, future use
        [0 | 224..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Place::Reserved,
        _ => Place::Public,
    }
}

fn v6(address: Ipv6Addr) -> Place {
    if let Some(inner) = address.to_ipv4_mapped() {
        return v4(inner);
    }
    match address.segments() {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, _] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Place::Metadata,
        [0, 0, 0, 0, 0, 0, 0, 1] => Place::Loopback,
        // NAT64 leads wherever the embedded address leads; only public ones have business there.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => match v4(embedded(high, low)) {
            Place::Public => Place::Public,
            Place::Metadata => Place::Metadata,
            Place::Loopback | Place::Private | Place::LinkLocal | Place::Reserved => {
                Place::Reserved
            }
        },
        [0xfc00..=0xfdff, ..] => Place::Private,
        [0xfe80..=0xfebf, ..] => Place::LinkLocal,
        // Teredo, benchmarking, ORCHID, drone ids (2001::/23); documentation; 6to4; documentation
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Place::Reserved,
        [0x2000..=0x3fff, ..] => Place::Public,
        // Everything else is not global unicast.
        _ => Place::Reserved,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn place(raw: &str) -> Place {
        Place::of(raw.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for raw in ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "64:ff9b::5db8:d822"] {
            assert_eq!(place(raw), Place::Public, "{raw}");
        }
        assert_eq!(place("::ffff:93.184.216.34"), Place::Public);
    }

    #[test]
    fn this_machine_is_recognised_in_every_disguise() {
        for raw in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(place(raw), Place::Loopback, "{raw}");
        }
        for raw in ["64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "0.0.0.0", "::"] {
            assert_eq!(place(raw), Place::Reserved, "{raw}");
        }
    }

    #[test]
    fn private_networks_are_private() {
        for raw in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "fd12::1",
            "fc00::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(place(raw), Place::Private, "{raw}");
        }
        assert_eq!(place("172.32.0.1"), Place::Public);
        assert_eq!(place("169.254.1.1"), Place::LinkLocal);
        assert_eq!(place("fe80::1"), Place::LinkLocal);
    }

    #[test]
    fn metadata_services_are_recognised_wherever_they_hide() {
        for raw in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "100.100.100.200",
            "168.63.129.16",
        ] {
            assert_eq!(place(raw), Place::Metadata, "{raw}");
        }
    }

    #[test]
    fn ranges_without_services_are_reserved() {
        for raw in [
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.9",
            "198.18.0.1",
            "192.88.99.1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:0a00:0001::1",
            "3fff::1",
            "fec0::1",
            "100::1",
            "5f00::1",
            "64:ff9b:1::1",
        ] {
            assert_eq!(place(raw), Place::Reserved, "{raw}");
        }
    }
}

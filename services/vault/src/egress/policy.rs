//! Who may be reached, decided before any name is resolved.

use std::sync::Arc;

use aileron_contract::names::HostPort;

use super::{address::Place, credentials::Resolved, problem::Problem, target::Target};

/// The hosts one request may go to, and which of them may be private.
#[derive(Debug)]
pub(crate) enum Policy {
    /// A connector's request: the hosts its manifest declares; with a credential, what the person
    /// agreed to for it, too.
    Send { declared: Vec<HostPort>, consent: Option<Arc<Resolved>> },
    /// A package's: the first host, and those it may redirect to. The operator's configuration
    /// names the private ones.
    Fetch { first: HostPort, redirects: Vec<HostPort>, private: Vec<HostPort> },
}

/// Which addresses a name may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Permit {
    Public,
    Loopback,
    /// Private networks as well as public addresses.
    Private,
    /// Anything but metadata services and reserved ranges.
    Named,
}

impl Permit {
    pub(crate) fn allows(self, place: Place) -> bool {
        match place {
            Place::Public => self != Self::Loopback,
            Place::Loopback => matches!(self, Self::Loopback | Self::Named),
            Place::Private => matches!(self, Self::Private | Self::Named),
            Place::LinkLocal => self == Self::Named,
            Place::Metadata | Place::Reserved => false,
        }
    }
}

impl Policy {
    /// May this hop be requested at all, and which addresses may it lead to?
    pub(crate) fn permit(&self, target: &Target) -> Result<Permit, Problem> {
        let host = target.host();
        let permit = match self {
            Self::Send { declared, consent } => {
                if !declared.contains(host) {
                    let declared = declared.clone();
                    return Err(Problem::HostNotDeclared { host: host.clone(), declared });
                }
                // Without a credential, consenting to the manifest was consenting to its hosts.
                let named = consent.as_ref().map_or(declared, |consent| &consent.reach.hosts);
                if named.contains(host) { of_consented(host) } else { Permit::Public }
            }
            Self::Fetch { first, redirects, private } => {
                if host != first && !redirects.contains(host) {
                    let listed = redirects.clone();
                    return Err(Problem::HostNotListed { host: host.clone(), listed });
                }
                match private.contains(host) {
                    true if host.is_loopback() => Permit::Loopback,
                    true => Permit::Named,
                    false => Permit::Public,
                }
            }
        };
        if target.secure() || permit == Permit::Loopback {
            return Ok(permit);
        }
        Err(Problem::PlainText { host: host.clone() })
    }

    /// May the credential go to this host?
    pub(crate) fn consented(&self, target: &Target) -> Result<(), Problem> {
        match self {
            Self::Send { consent: Some(consent), declared: _ }
                if !consent.reach.hosts.contains(target.host()) =>
            {
                Err(Problem::HostNotConsented {
                    host: target.host().clone(),
                    binding: consent.binding.clone(),
                    consented: consent.reach.hosts.clone(),
                })
            }
            Self::Send { .. } | Self::Fetch { .. } => Ok(()),
        }
    }
}

/// Consenting to a host is consenting to a private address only where the host says so itself:
/// an address, `localhost`, or a name under a domain that is never public (`.internal`,
/// `.home.arpa`, `.local`). A public name that turns out to lead inside is an attack.
fn of_consented(host: &HostPort) -> Permit {
    if host.is_loopback() {
        return Permit::Loopback;
    }
    if host.address().is_some() {
        return Permit::Named;
    }
    let internal = [".internal", ".home.arpa", ".local"];
    if internal.iter().any(|suffix| host.host().ends_with(suffix)) {
        return Permit::Private;
    }
    Permit::Public
}

#[cfg(test)]
mod tests {
    use aileron_contract::{
        Secret,
        credential::{Form, HeaderTemplate, Reach},
    };

    use super::*;

    fn hosts(raw: &[&str]) -> Vec<HostPort> {
        raw.iter().map(|host| host.parse().unwrap()).collect()
    }

    fn send(declared: &[&str], consented: Option<&[&str]>) -> Policy {
        let consent = consented.map(|consented| {
            let form = Form::ApiKey(HeaderTemplate::default());
            Arc::new(Resolved {
                binding: "api_key/x/y".parse().unwrap(),
                reach: Reach { hosts: hosts(consented), form },
                value: Secret::from("key".to_owned()).into(),
                access_key_id: None,
                region: None,
            })
        });
        Policy::Send { declared: hosts(declared), consent }
    }

    fn permit(policy: &Policy, url: &str) -> Result<Permit, Problem> {
        policy.permit(&Target::parse(url).unwrap())
    }

    #[test]
    fn a_public_name_never_permits_a_private_address() {
        let policy = send(&["api.example.com:443"], Some(&["api.example.com:443"]));
        let permit = permit(&policy, "https://api.example.com/").unwrap();
        for place in [Place::Loopback, Place::Private, Place::LinkLocal, Place::Metadata] {
            assert!(!permit.allows(place), "{place:?}");
        }
    }

    #[test]
    fn the_port_is_part_of_the_host() {
        let policy = send(&["api.example.com:443"], None);
        assert!(permit(&policy, "https://api.example.com:8443/").is_err());
    }

    #[test]
    fn plain_http_is_for_this_machine_with_consent() {
        let declared = &["localhost:80", "10.0.0.1:80", "example.com:80", "x.internal:80"];
        let consented = send(declared, Some(declared));
        assert_eq!(permit(&consented, "http://localhost/").unwrap(), Permit::Loopback);
        for url in ["http://10.0.0.1/", "http://example.com/", "http://x.internal/"] {
            assert!(matches!(permit(&consented, url), Err(Problem::PlainText { .. })), "{url}");
        }
        let not_consented = send(declared, Some(&["example.com:443"]));
        assert!(permit(&not_consented, "http://localhost/").is_err());
    }

    #[test]
    fn a_manifest_does_not_stand_in_for_the_consent_of_a_credential() {
        let policy = send(&["127.0.0.1:443"], Some(&["api.example.com:443"]));
        assert_eq!(permit(&policy, "https://127.0.0.1/").unwrap(), Permit::Public);
        let target = Target::parse("https://127.0.0.1/").unwrap();
        assert!(matches!(policy.consented(&target), Err(Problem::HostNotConsented { .. })));
    }

    #[test]
    fn metadata_services_stay_out_of_reach_whatever_was_consented_to() {
        let policy = send(&["169.254.169.254:443"], Some(&["169.254.169.254:443"]));
        let permit = permit(&policy, "https://169.254.169.254/").unwrap();
        assert!(!permit.allows(Place::of([169, 254, 169, 254].into())));
        assert!(permit.allows(Place::of([10, 0, 0, 1].into())));
    }

    #[test]
    fn fetch_goes_inside_only_where_the_operator_said_so() {
        let policy = Policy::Fetch {
            first: "localhost:8443".parse().unwrap(),
            redirects: hosts(&["packages.example:443"]),
            private: hosts(&["packages.example:443"]),
        };
        assert_eq!(permit(&policy, "https://localhost:8443/").unwrap(), Permit::Public);
        assert_eq!(permit(&policy, "https://packages.example/").unwrap(), Permit::Named);
        assert!(permit(&policy, "http://localhost:8443/").is_err());
        assert!(permit(&policy, "https://elsewhere.example/").is_err());
    }
}

//! Where a request is signed for, read from its host.

use aileron_contract::names::HostPort;

/// Service and region: the first label that has a region's shape, and the nearest label before it
/// that names a service. `s3-fips.dualstack.us-gov-west-1…` is S3 in us-gov-west-1.
pub(super) fn of_host(host: &HostPort) -> Option<(&str, &str)> {
    let labels: Vec<&str> = host.host().split('.').collect();
    let at = labels.iter().position(|label| is_region(label))?;
    let (before, rest) = labels.split_at(at);
    let service = before.iter().rev().find(|label| **label != "dualstack")?;
    let service = service.strip_suffix("-fips").unwrap_or(service);
    Some((service, *rest.first()?)).filter(|(service, _)| !service.is_empty())
}

/// The region a host names, whatever it says about the service.
pub(crate) fn region_of(host: &HostPort) -> Option<&str> {
    host.host().split('.').find(|label| is_region(label))
}

/// `^[a-z]{2}-([a-z]+-)+[0-9]+$`
fn is_region(label: &str) -> bool {
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    match label.split('-').collect::<Vec<_>>().as_slice() {
        [country, areas @ .., number] => {
            country.len() == 2
                && lower(country)
                && !areas.is_empty()
                && areas.iter().all(|area| lower(area))
                && digits(number)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, expected: Option<(&str, &str)>) {
        let host: HostPort = format!("{host}:443").parse().unwrap();
        assert_eq!(of_host(&host), expected, "{host}");
    }

    #[test]
    fn a_host_names_service_and_region() {
        check("athena.eu-central-1.amazonaws.com", Some(("athena", "eu-central-1")));
        check("BUCKET.S3.US-EAST-1.amazonaws.com", Some(("s3", "us-east-1")));
        check("s3.dualstack.us-west-2.amazonaws.com", Some(("s3", "us-west-2")));
        check("b.s3-fips.dualstack.us-gov-west-1.amazonaws.com", Some(("s3", "us-gov-west-1")));
        check("sqs.cn-north-1.amazonaws.com.cn", Some(("sqs", "cn-north-1")));
        check("vpce-1.s3.us-east-1.vpce.amazonaws.com", Some(("s3", "us-east-1")));
        check("dynamodb.us-east-1.localhost", Some(("dynamodb", "us-east-1")));
    }

    #[test]
    fn what_a_host_does_not_say_is_not_guessed() {
        for host in [
            "s3.amazonaws.com",
            "127.0.0.1",
            "us-east-1.amazonaws.com",
            "dualstack.us-east-1.amazonaws.com",
            "x.us-1.example",
            "x.usa-east-1.example",
            "x.us-east-1a.example",
            "x.us-east-.example.com",
            "x.us--1.example",
        ] {
            if let Ok(host) = format!("{host}:443").parse::<HostPort>() {
                assert_eq!(of_host(&host), None, "{host}");
            }
        }
        let host: HostPort = "us-east-1.amazonaws.com:443".parse().unwrap();
        assert_eq!(region_of(&host), Some("us-east-1"));
    }
}

//! Addresses and codes from outside that a browser or a person is shown, checked before they are.

use aileron_contract::{
    Error, Reason, Result, Secret,
    credential::{Endpoint, Oauth2Client},
    limits,
    names::HostPort,
};
use oauth2::{RedirectUrl, StandardDeviceAuthorizationResponse};
use url::Url;

/// Where the command line listens.
pub(crate) fn of_cli(port: u16) -> Result<RedirectUrl> {
    if port == 0 {
        return Err(Error::new(Reason::InvalidRequest, "say the port that the redirect comes to"));
    }
    RedirectUrl::new(format!("http://127.0.0.1:{port}/callback")).map_err(Error::internal)
}

/// Where the daemon catches the redirect.
pub(crate) fn of_daemon(raw: &str) -> Result<RedirectUrl> {
    let url: Endpoint = raw.parse().map_err(|_| {
        Error::new(
            Reason::InvalidRequest,
            "the callback is an https:// URL, or http:// on this machine",
        )
    })?;
    Ok(RedirectUrl::from_url(url.url().clone()))
}

/// Where the browser goes in the end: this machine, so that the daemon sends nobody elsewhere.
pub(crate) fn return_to(raw: &str) -> Result<String> {
    let here = |url: &Url| {
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
        let host = HostPort::new(host, url.port_or_known_default()?).ok()?;
        let web = matches!(url.scheme(), "http" | "https");
        let bare = url.username().is_empty() && url.password().is_none();
        (host.is_loopback() && web && bare && url.fragment().is_none()).then_some(())
    };
    let plain = raw.len() <= 2048 && raw.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
    match Url::parse(raw) {
        Ok(url) if plain && here(&url).is_some() => Ok(url.into()),
        _ => Err(Error::new(
            Reason::InvalidReturnTo,
            "return_to is an http:// or https:// URL on 127.0.0.1, localhost or [::1]",
        )),
    }
}

/// An answer that names its provider has to name the one that was asked (RFC 9207). Another's
/// code, brought here by a connector that sends its people there, would be handed to the
/// connector's own provider. A manifest names endpoints and no issuer: the host of one of them
/// has to be the issuer's.
pub(crate) fn answered_by(client: &Oauth2Client, issuer: Option<&str>) -> Result<()> {
    let Some(issuer) = issuer else { return Ok(()) };
    let issuer = issuer.parse::<Endpoint>().ok().and_then(|issuer| issuer.authority());
    let asked = [&client.authorize_url, &client.token_url].map(Endpoint::authority);
    if issuer.is_some() && asked.contains(&issuer) {
        return Ok(());
    }
    Err(Error::new(
        Reason::IssuerMismatch,
        "the answer says that it comes from another provider than the one you were sent to: \
         nothing was bound, and the setup has been ended",
    ))
}

/// What came back from a browser is small.
pub(crate) fn sized(secrets: &[&Secret]) -> Result<()> {
    let fits = |secret: &&Secret| (1..=limits::OAUTH_CODE).contains(&secret.len());
    if secrets.iter().all(fits) {
        return Ok(());
    }
    Err(Error::new(
        Reason::InvalidRequest,
        format!("a code, state or session has 1 to {} bytes", limits::OAUTH_CODE),
    ))
}

/// What a person is shown to answer on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: Option<String>,
}

/// Refuses what could be more than a code and addresses of the web.
pub(crate) fn shown(begun: &StandardDeviceAuthorizationResponse) -> Result<Shown> {
    let unfit = || {
        Error::new(
            Reason::TokenExchangeFailed,
            "the provider's answer cannot be shown to a person: nothing was begun",
        )
    };
    let web = |raw: &str| -> Option<String> {
        let plain = raw.len() <= 2048 && raw.bytes().all(|c| c.is_ascii_graphic());
        let url: Endpoint = raw.parse().ok()?;
        plain.then(|| url.to_string())
    };
    let user_code = begun.user_code().secret();
    let plain = user_code.bytes().all(|c| c.is_ascii_graphic() || c == b' ');
    if !plain || !(1..=64).contains(&user_code.len()) {
        return Err(unfit());
    }
    let verification_uri = web(begun.verification_uri().as_str()).ok_or_else(unfit)?;
    let complete = begun.verification_uri_complete();
    Ok(Shown {
        user_code: user_code.clone(),
        verification_uri,
        verification_uri_complete: complete.and_then(|uri| web(uri.secret())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_back_to_this_machine_alone() {
        for raw in ["http://127.0.0.1:8125/x?y=z", "https://localhost/", "http://[::1]:1/"] {
            assert!(return_to(raw).is_ok(), "{raw}");
        }
        for raw in [
            "",
            "/x",
            "http://10.0.0.1/",
            "http://a.example/",
            "ftp://localhost/",
            "http:/\\localhost",
        ] {
            assert_eq!(return_to(raw).unwrap_err().reason(), Reason::InvalidReturnTo, "{raw}");
        }
    }

    #[test]
    fn an_answer_of_another_provider_is_refused() {
        let [authorize, token] = ["https://id.example/o/authorize", "https://api.example/token"]
            .map(|url| url.parse().unwrap());
        let client = Oauth2Client::new(authorize, token, "c", vec!["s".to_owned()]).unwrap();
        for fine in [None, Some("https://id.example"), Some("https://api.example/realm/x")] {
            answered_by(&client, fine).unwrap();
        }
        for other in [
            "",
            "id.example",
            "https://evil.example",
            "https://id.example:444",
            "http://id.example",
        ] {
            let refused = answered_by(&client, Some(other)).unwrap_err();
            assert_eq!(refused.reason(), Reason::IssuerMismatch, "{other}");
        }
    }

    fn begun(code: &str, uri: &str) -> Result<Shown> {
        let body = serde_json::json!({
            "device_code": "d", "user_code": code, "verification_uri": uri, "expires_in": 1,
            "verification_uri_complete": "javascript:alert(1)",
        });
        shown(&serde_json::from_value(body).unwrap())
    }

    #[test]
    fn what_a_person_is_shown_steers_no_terminal_and_opens_the_web_only() {
        let fine = begun("ABCD-EFGH", "https://id.example/device").unwrap();
        assert_eq!(fine.verification_uri_complete, None);
        assert!(begun("\u{1b}]0;x\u{7}", "https://id.example/device").is_err());
        assert!(begun("", "https://id.example/device").is_err());
        for uri in ["http://id.example/", "file:///etc/passwd", "https://u:p@id.example/"] {
            assert!(begun("A", uri).is_err(), "{uri}");
        }
    }
}

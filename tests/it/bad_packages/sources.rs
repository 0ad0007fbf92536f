//! Sources that do not deliver: cut, slow, endless, refusing, or sending people elsewhere.

use aileron_api::packages::{InstallConnectorRequest, ReadSuite};
use serde_json::json;

use super::{listing, refusal};
use crate::{
    house::{House, create_vault, person},
    moody::{Mood, Moody},
    packs::Publisher,
};

fn mood(path: &str) -> Mood {
    let acme = Publisher::new("acme/notes", 1);
    let archive = acme.connector(&acme.manifest("1.0.0", &["notes.example:443"]));
    match path {
        _ if path.ends_with("/v1.0.0/aileron.tar.gz") => Mood::HangsUp(archive),
        _ if path.ends_with("/v2.0.0/aileron.tar.gz") => {
            let body = b"rate limit exceeded".to_vec();
            Mood::Answers("403 Forbidden", "x-ratelimit-remaining: 0\r\n".to_owned(), body)
        }
        _ if path.ends_with("/v3.0.0/aileron.tar.gz") => {
            let to = "location: https://elsewhere.example/aileron.tar.gz\r\n".to_owned();
            Mood::Answers("302 Found", to, Vec::new())
        }
        _ if path.ends_with("/v4.0.0/aileron.tar.gz") => {
            let to = "location: http://localhost:1/aileron.tar.gz\r\n".to_owned();
            Mood::Answers("302 Found", to, Vec::new())
        }
        _ if path.ends_with("/v5.0.0/aileron.tar.gz") => {
            Mood::Answers("200 OK", "content-encoding: br\r\n".to_owned(), archive)
        }
        _ if path.ends_with("/endless.toml") => Mood::Pours,
        _ if path.ends_with("/slow.toml") => Mood::Dawdles,
        _ => Mood::Answers("404 Not Found", String::new(), Vec::new()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_deliver_leaves_nothing_and_is_told_by_its_failure() {
    let source = Moody::start(mood);
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &source.authority_pem).unwrap();
    let mut house = House::bare(&json!({
        "sources": { "github": { "base_url": format!("https://{}", source.host) } },
        "egress": { "roots": [authority], "private_hosts": [source.host] },
    }));
    let program = house.start().await;
    create_vault(&program).await;
    let person = person(&program).await;
    let acme = Publisher::new("acme/notes", 1);
    acme.is_trusted_by(&person).await;
    let before = listing(house.path());

    // The slow ones meanwhile: they end at the wall, not at the server's pleasure.
    let suite = |file: &str| ReadSuite {
        source: Some(format!("{}/{file}@v1.0.0", acme.fqn())),
        text: None,
    };
    let (slow, endless) = (suite("slow.toml"), suite("endless.toml"));
    let slow = person.read_suite(&slow);
    let quick = async {
        for (version, says) in [
            ("1.0.0", "could not be fetched"),
            ("2.0.0", "403"),
            ("3.0.0", "elsewhere.example"),
            ("4.0.0", "from https to http"),
            ("5.0.0", ""),
            ("6.0.0", "404"),
        ] {
            let request =
                InstallConnectorRequest { expected_hash: None, ..acme.connector_request(version) };
            let refused = person.install_connector(&request).await.expect_err(version);
            let (code, text) = (refused.code().unwrap_or_default(), refused.to_string());
            assert!(["fetch_failed", "malformed_tarball"].contains(&code), "{version}: {text}");
            assert!(text.contains(says), "{version}: {text}");
        }
        assert_eq!(refusal("endless", person.read_suite(&endless).await), "fetch_failed");
    };
    let (slow, ()) = tokio::join!(slow, quick);
    let slow = slow.expect_err("slow");
    assert_eq!(slow.code(), Some("fetch_failed"));
    assert!(slow.to_string().contains("within the time the call has"), "{slow}");
    assert!(listing(house.path()) == before, "a trace");
    assert!(person.connectors().await.unwrap().value.items.is_empty());
}

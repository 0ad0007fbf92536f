//! A binding that the published runtime made, in its version 1 file.

use std::time::Duration;

use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce, aead::Aead as _};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use sha2::{Digest as _, Sha256};

use super::{CONNECTOR, NAME, binding, browser::Browser, get, label, provider::Provider, returned};
use crate::{
    file::PUBLISHED,
    house::{House, daemon, hosts_of, later, secret, service},
};

/// Of the published passphrase and salt.
const KEY: &str = "853b272a44db1421c02962669a55eb0994f3cab385ed1c4c79253eee19bab49e";

/// Tokens, obtained without us.
async fn tokens(provider: &Provider) -> serde_json::Value {
    let verifier = "v".repeat(43);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let back = "http://127.0.0.1/callback";
    let start = provider.url(&format!(
        "/auth?client_id=public&response_type=code&scope=openid%20offline_access&prompt=consent\
         &redirect_uri={back}&code_challenge={challenge}&code_challenge_method=S256"
    ));
    let landed = Browser::default().consents(&start, back).await;
    let code = returned(&landed, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("code", &code),
        ("code_verifier", &verifier),
        ("redirect_uri", back),
    ];
    let page = Browser::default().post(&provider.url("/token"), &form).await;
    serde_json::from_str(&page.body).unwrap()
}

fn sealed(value: &str) -> String {
    let key = Aes256Gcm::new_from_slice(&hex::decode(KEY).unwrap()).unwrap();
    let sealed = key.encrypt(&Nonce::from([0x30; 12]), value.as_bytes()).unwrap();
    BASE64_STANDARD.encode([&[0x30; 12], sealed.as_slice()].concat())
}

#[tokio::test]
async fn a_published_binding_is_refreshed_once_its_connector_is_known() {
    let provider = Provider::start();
    let tokens = tokens(&provider).await;
    let stored = serde_json::json!({
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "expires_at": "2027-01-15T09:00:00+01:00",
        "token_type": "Bearer",
        "client_id": "public",
        "token_url": provider.url("/token"),
        "scopes": ["openid"],
        "team": {"id": 7},
    });
    let mut file: serde_json::Value = serde_json::from_str(PUBLISHED).unwrap();
    file["secrets"][NAME] = serde_json::json!({
        "value": sealed(&stored.to_string()),
        "metadata": {"Type": "oauth2", "Environment": "", "Labels": {
            "service": "notes", "identity": "me", "status": "active", "created_at": "1700000000",
            "connector_fqn": CONNECTOR, "refresh_token_present": "true",
        }},
    });
    let house = House::new().await;
    house.plant(file.to_string().as_bytes());
    let vault = house.service.vault();
    vault.unlock(&daemon(), secret("correct horse battery staple")).await.unwrap();
    get(&house, &provider).await.unwrap_err();
    let hosts = hosts_of(&[provider.host().as_str()]);
    house
        .service
        .bindings()
        .declare_hosts(&service(), CONNECTOR.parse().unwrap(), hosts)
        .await
        .unwrap();
    assert_eq!(get(&house, &provider).await, Ok(200));
    assert_eq!(provider.refreshes().await, "1", "its end was long past");
    assert_eq!(label(&house, "created_at").await.as_deref(), Some("1700000000"));
    assert!(binding(&house).await.last_refreshed_at.is_none(), "another binding of the file");
    assert!(label(&house, "last_refreshed_at").await.is_some());
    later(Duration::from_secs(3700));
    assert_eq!(get(&house, &provider).await, Ok(200));
    let scopes = vec!["openid".to_owned()];
    let bindings = house.service.bindings();
    let stale = bindings.declare_scopes(&service(), CONNECTOR.parse().unwrap(), scopes).await;
    assert_eq!(stale.unwrap(), [NAME.parse().unwrap()]);
    assert_eq!(label(&house, "stale_reason").await.as_deref(), Some("no_grant_record"));
}

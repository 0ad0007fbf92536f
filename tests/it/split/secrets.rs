//! Which process of a split house knows what. The vault's key is taken from the published file
//! format, read here by other code than the vault's.

use std::path::Path;

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use aileron_node::demo::Servers;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Split;
use crate::{house::PASSPHRASE, main_job::goes_all_the_way, memory::holds};

#[tokio::test(flavor = "multi_thread")]
async fn the_vaults_key_is_in_the_vaults_process_and_in_no_other() {
    let servers = Servers::start().await.unwrap();
    let mut split = Split::start(&servers);
    let program = split.program().await;
    goes_all_the_way(&program, &servers).await;

    let key = vault_key(&split.house.path().join("secrets.json"));
    assert!(holds(split.process("vault"), &key), "the scan cannot find the key where it must be");
    let others = ["executor", "gateway", "launcher", "audit"];
    for (process, name) in others.map(|it| (split.process(it), it)) {
        assert!(!holds(process, &key), "the {name} has seen the vault's key");
        assert!(!holds(process, servers.notes_key.as_bytes()) || name == "gateway", "{name}");
    }
    for (process, name) in ["executor", "launcher", "audit"].map(|it| (split.process(it), it)) {
        assert!(!holds(process, PASSPHRASE.as_bytes()), "the {name} has seen the passphrase");
    }
}

/// Opens a version 2 file with the tests' passphrase.
fn vault_key(path: &Path) -> Vec<u8> {
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(file["version"], 2);
    let member = &file["members"][0];
    let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let number = |key: &str| u32::try_from(member[key].as_u64().unwrap()).unwrap();
    let (vault, salt) = (bytes(&file["vault"]), bytes(&member["salt"]));
    let (memory, passes, lanes) = (number("memory_kib"), number("passes"), number("lanes"));
    let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
    let mut own = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(PASSPHRASE.as_bytes(), &salt, &mut own)
        .unwrap();
    let mut wrapping = [0; 32];
    Hkdf::<Sha256>::new(Some(&vault), &own).expand(b"aileron/vault/2/wrap", &mut wrapping).unwrap();
    // RFC 8785: members in the order of their names, no spaces.
    let bound = format!(
        r#"{{"kdf":[{memory},{passes},{lanes}],"key_version":{},"kind":"passphrase","salt":"{}","vault":"{}"}}"#,
        file["key_version"],
        hex::encode(&salt),
        hex::encode(&vault)
    );
    let associated = Sha256::digest([b"aileron/vault/2/member\0", bound.as_bytes()].concat());
    let wrapped = bytes(&member["wrapped_key"]);
    let (nonce, sealed) = wrapped.split_first_chunk::<12>().unwrap();
    Aes256Gcm::new(&wrapping.into())
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &associated })
        .unwrap()
}

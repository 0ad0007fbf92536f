//! What leaves the vault on purpose, and the ways back in.

mod logins;
mod portable;
mod recovery;
mod references;

use aileron_contract::{Secret, custody::LoginValue};

use crate::house::House;

fn login(value: &[u8]) -> LoginValue {
    LoginValue {
        value: Secret::new(value.to_vec()),
        kind: "oauth_refresh_token".to_owned(),
        environment: String::new(),
        labels: [("team".to_owned(), "a".to_owned())].into(),
    }
}

fn shown(secret: &Secret) -> Vec<u8> {
    secret.expose(<[u8]>::to_vec)
}

/// Does the log repeat it?
fn assert_unrecorded(house: &House, secret: &str) {
    assert!(!house.log.shown().contains(secret), "{}", house.log.shown());
}

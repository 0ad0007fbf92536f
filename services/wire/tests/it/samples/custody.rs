use std::collections::BTreeMap;

use aileron_contract::{
    Secret,
    custody::{Exported, Imported, LoginValue},
};

use crate::fakes::shown;

pub(crate) fn login_value(full: bool) -> LoginValue {
    let labels = BTreeMap::from([("team".to_owned(), "a/b c".to_owned())]);
    LoginValue {
        value: Secret::new(if full { vec![0, 0xff, b'{'] } else { Vec::new() }),
        kind: if full { "oauth_refresh_token".to_owned() } else { String::new() },
        environment: if full { "prod".to_owned() } else { String::new() },
        labels: if full { labels } else { BTreeMap::new() },
    }
}

/// A value that can be compared.
pub(crate) fn parts(value: &LoginValue) -> (Vec<u8>, String, String, BTreeMap<String, String>) {
    let LoginValue { value, kind, environment, labels } = value;
    (shown(value), kind.clone(), environment.clone(), labels.clone())
}

pub(crate) fn key(full: bool) -> Secret {
    Secret::new(if full { b"0000-ZZZZ".to_vec() } else { Vec::new() })
}

pub(crate) fn exported(full: bool) -> Exported {
    Exported {
        file: if full { vec![7; 5 << 20] } else { Vec::new() },
        entries: if full { u64::MAX } else { 0 },
    }
}

pub(crate) fn imported(full: bool) -> Imported {
    let count = u64::from(full);
    Imported { added: count, replaced: 2 * count, unchanged: u64::MAX * count }
}

use aileron_api::{
    Sensitive,
    custody::{AgentCredentials, AgentLogin, ImportedVault, UserLogin},
    vault::VaultEntry,
};
use aileron_contract::{
    custody::{Imported, LoginValue},
    names::Login,
    vault,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(crate) fn login(login: LoginValue) -> AgentCredentials {
    let LoginValue { value, kind, environment, labels } = login;
    AgentCredentials {
        value: Sensitive::new(value.expose(|bytes| STANDARD.encode(bytes))),
        metadata: super::vault::metadata(kind, environment, labels),
    }
}

/// None for what is below `agents/` and no login.
pub(crate) fn agent_login(entry: vault::Entry) -> Option<AgentLogin> {
    let VaultEntry { path, scope: _, metadata } = super::entry(entry);
    match path.parse().ok()? {
        Login::Agent { name, purpose } => {
            Some(AgentLogin { name: name.to_string(), purpose: purpose.to_string(), metadata })
        }
        Login::User { .. } => None,
    }
}

/// None for what is below `user/` and no login.
pub(crate) fn user_login(entry: vault::Entry) -> Option<UserLogin> {
    let VaultEntry { path, scope: _, metadata } = super::entry(entry);
    match path.parse().ok()? {
        Login::User { service } => Some(UserLogin { service: service.to_string(), metadata }),
        Login::Agent { .. } => None,
    }
}

pub(crate) fn imported(imported: Imported) -> ImportedVault {
    let Imported { added, replaced, unchanged } = imported;
    ImportedVault { added, replaced, unchanged }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aileron_api::vault::VaultMetadata;
    use aileron_contract::Secret;

    use super::*;

    #[test]
    fn metadata_that_says_nothing_is_left_out() {
        let value = || Secret::new(vec![0xff]);
        let bare = LoginValue {
            value: value(),
            kind: String::new(),
            environment: String::new(),
            labels: BTreeMap::new(),
        };
        assert_eq!(serde_json::to_string(&login(bare)).unwrap(), r#"{"value":"/w=="}"#);
        let labelled = LoginValue {
            value: value(),
            kind: "api_key".to_owned(),
            environment: String::new(),
            labels: BTreeMap::new(),
        };
        assert_eq!(
            login(labelled).metadata,
            Some(VaultMetadata { kind: Some("api_key".to_owned()), ..VaultMetadata::default() })
        );
    }
}

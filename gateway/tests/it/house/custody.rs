//! Logins, recovery keys and exports.

use std::collections::BTreeMap;

use aileron_contract::{
    Context, Custody, Error, Reason, Result, Scope, Secret,
    custody::{Exported, Import, Imported, LoginValue, Recovery},
    names::Login,
    vault::{State, Status},
};
use async_trait::async_trait;

use super::World;

pub(crate) const RECOVERY_KEY: &str = "0000-RECOVERY";

#[async_trait]
impl Custody for World {
    async fn put_login(&self, context: &Context, login: Login, value: LoginValue) -> Result<()> {
        self.enter("put_login", context, Scope::SecretsWrite)?;
        if value.value.is_empty() {
            return Err(Error::new(Reason::InvalidRequest, "value: none"));
        }
        let bytes = value.value.expose(<[u8]>::to_vec);
        self.secrets.lock().unwrap().push((login.to_string(), bytes));
        Ok(())
    }

    async fn delete_login(&self, context: &Context, login: Login) -> Result<()> {
        self.enter("delete_login", context, Scope::SecretsWrite)?;
        let mut kept = self.secrets.lock().unwrap();
        let before = kept.len();
        kept.retain(|(path, _)| *path != login.to_string());
        if kept.len() == before {
            return Err(Error::new(Reason::NotFound, "no such login"));
        }
        Ok(())
    }

    async fn export_login(&self, context: &Context, login: Login) -> Result<LoginValue> {
        self.enter("export_login", context, Scope::CredentialsExport)?;
        let kept = self.secrets.lock().unwrap();
        let found = kept.iter().find(|(path, _)| *path == login.to_string());
        let (_, bytes) =
            found.ok_or_else(|| Error::new(Reason::NotFound, "no such login"))?.clone();
        Ok(LoginValue {
            value: Secret::new(bytes),
            kind: "api_key".to_owned(),
            environment: String::new(),
            labels: BTreeMap::new(),
        })
    }

    async fn add_recovery_key(&self, context: &Context) -> Result<Secret> {
        self.enter("add_recovery_key", context, Scope::VaultManage)?;
        Ok(Secret::from(RECOVERY_KEY.to_owned()))
    }

    async fn remove_recovery_key(&self, context: &Context) -> Result<Status> {
        self.enter("remove_recovery_key", context, Scope::VaultManage)?;
        Err(Error::new(Reason::NotFound, "there is none"))
    }

    async fn recover(&self, context: &Context, recovery: Recovery) -> Result<Status> {
        self.enter("recover", context, Scope::StatusRead)?;
        if !recovery.key.expose(|key| key == RECOVERY_KEY.as_bytes()) {
            return Err(Error::new(Reason::PassphraseRejected, "not the key"));
        }
        *self.state.lock().unwrap() = Some(State::Unlocked);
        Ok(self.status_now())
    }

    async fn export(&self, context: &Context, _: Secret) -> Result<Exported> {
        self.enter("export", context, Scope::VaultManage)?;
        Ok(Exported { file: b"sealed\xff".to_vec(), entries: 3 })
    }

    async fn import(&self, context: &Context, import: Import) -> Result<Imported> {
        self.enter("import", context, Scope::VaultManage)?;
        if import.file != b"sealed\xff" && !import.replace {
            return Err(Error::new(Reason::ImportConflict, "they differ")
                .with_details(serde_json::json!({ "paths": ["secret/a"] })));
        }
        Ok(Imported { added: 1, replaced: u64::from(import.replace), unchanged: 0 })
    }
}

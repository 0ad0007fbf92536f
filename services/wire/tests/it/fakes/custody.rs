use aileron_contract::{
    Context, Custody, Result, Secret,
    custody::{Exported, Import, Imported, LoginValue, Recovery},
    names::Login,
    vault::Status,
};
use async_trait::async_trait;

use super::{Stage, shown};
use crate::samples::{custody as samples, vault};

#[derive(Default)]
pub(crate) struct FakeCustody {
    pub(crate) stage: Stage,
}

#[async_trait]
impl Custody for FakeCustody {
    async fn put_login(&self, context: &Context, login: Login, value: LoginValue) -> Result<()> {
        self.stage.enter("put_login", &(context, login, samples::parts(&value))).map(|_| ())
    }

    async fn delete_login(&self, context: &Context, login: Login) -> Result<()> {
        self.stage.enter("delete_login", &(context, login)).map(|_| ())
    }

    async fn export_login(&self, context: &Context, login: Login) -> Result<LoginValue> {
        self.stage.enter("export_login", &(context, login)).map(samples::login_value)
    }

    async fn add_recovery_key(&self, context: &Context) -> Result<Secret> {
        self.stage.enter("add_recovery_key", &context).map(samples::key)
    }

    async fn remove_recovery_key(&self, context: &Context) -> Result<Status> {
        self.stage.enter("remove_recovery_key", &context).map(vault::status)
    }

    async fn recover(&self, context: &Context, recovery: Recovery) -> Result<Status> {
        let Recovery { key, new } = recovery;
        self.stage.enter("recover", &(context, shown(&key), shown(&new))).map(vault::status)
    }

    async fn export(&self, context: &Context, passphrase: Secret) -> Result<Exported> {
        self.stage.enter("export", &(context, shown(&passphrase))).map(samples::exported)
    }

    async fn import(&self, context: &Context, import: Import) -> Result<Imported> {
        let Import { file, passphrase, replace } = import;
        // Its length is enough to see that it arrived whole.
        let arguments = (context, file.len(), shown(&passphrase), replace);
        self.stage.enter("import", &arguments).map(samples::imported)
    }
}

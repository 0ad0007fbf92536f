//! Custody somewhere else.

use aileron_contract::{
    Context, Custody, Result, Secret,
    custody::{Exported, Import, Imported, LoginValue, Recovery},
    limits,
    names::Login,
    vault::Status,
};
use aileron_proto::vault::v1::{self as pb, custody_service_client::CustodyServiceClient};
use async_trait::async_trait;

use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// Custody behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: CustodyServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the service through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client = CustodyServiceClient::new(channel.transport())
            .max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "custody" }, client }
    }

    fn client(&self) -> CustodyServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Custody for Remote {
    async fn put_login(&self, context: &Context, login: Login, value: LoginValue) -> Result<()> {
        let request = self.link.request(pb::PutLoginRequest {
            context: context_to_wire(context),
            login: login.into_wire(),
            value: value.into_wire(),
        })?;
        let pb::PutLoginResponse {} =
            self.link.call(context, self.client().put_login(request)).await?;
        Ok(())
    }

    async fn delete_login(&self, context: &Context, login: Login) -> Result<()> {
        let request = self.link.request(pb::DeleteLoginRequest {
            context: context_to_wire(context),
            login: login.into_wire(),
        })?;
        let pb::DeleteLoginResponse {} =
            self.link.call(context, self.client().delete_login(request)).await?;
        Ok(())
    }

    async fn export_login(&self, context: &Context, login: Login) -> Result<LoginValue> {
        let request = self.link.request(pb::ExportLoginRequest {
            context: context_to_wire(context),
            login: login.into_wire(),
        })?;
        let pb::ExportLoginResponse { value } =
            self.link.call(context, self.client().export_login(request)).await?;
        self.link.read(value, "value")
    }

    async fn add_recovery_key(&self, context: &Context) -> Result<Secret> {
        let context_message = context_to_wire(context);
        let request = self.link.request(pb::AddRecoveryKeyRequest { context: context_message })?;
        let pb::AddRecoveryKeyResponse { key } =
            self.link.call(context, self.client().add_recovery_key(request)).await?;
        self.link.read(key, "key")
    }

    async fn remove_recovery_key(&self, context: &Context) -> Result<Status> {
        let context_message = context_to_wire(context);
        let request =
            self.link.request(pb::RemoveRecoveryKeyRequest { context: context_message })?;
        let pb::RemoveRecoveryKeyResponse { status } =
            self.link.call(context, self.client().remove_recovery_key(request)).await?;
        self.link.read(status, "status")
    }

    async fn recover(&self, context: &Context, recovery: Recovery) -> Result<Status> {
        let Recovery { key, new } = recovery;
        let request = self.link.request(pb::RecoverRequest {
            context: context_to_wire(context),
            key: key.into_wire(),
            new: new.into_wire(),
        })?;
        let pb::RecoverResponse { status } =
            self.link.call(context, self.client().recover(request)).await?;
        self.link.read(status, "status")
    }

    async fn export(&self, context: &Context, passphrase: Secret) -> Result<Exported> {
        let request = self.link.request(pb::ExportRequest {
            context: context_to_wire(context),
            passphrase: passphrase.into_wire(),
        })?;
        let exported = self.link.call(context, self.client().export(request)).await?;
        self.link.read(exported, "exported")
    }

    async fn import(&self, context: &Context, import: Import) -> Result<Imported> {
        let Import { file, passphrase, replace } = import;
        let request = pb::ImportRequest {
            context: context_to_wire(context),
            file,
            passphrase: passphrase.into_wire(),
            replace,
        };
        self.link.fits_in(&request, super::IMPORT)?;
        let request = self.link.stream(request);
        let imported = self.link.call(context, self.client().import(request)).await?;
        self.link.read(imported, "imported")
    }
}

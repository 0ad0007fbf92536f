//! A vault somewhere else.

use aileron_contract::{
    Context, Result, Secret, Vault, limits,
    names::SecretName,
    vault::{Acceptance, Entry, EntryFilter, Older, PassphraseChange, Pin, PinDomain, Status},
};
use aileron_proto::vault::v1::{self as pb, vault_service_client::VaultServiceClient};
use async_trait::async_trait;

use crate::{call::Link, channel::Channel, context::context_to_wire, message::Wire};

/// The vault behind a channel.
#[derive(Clone, Debug)]
pub struct Remote {
    link: Link,
    client: VaultServiceClient<tonic::transport::Channel>,
}

impl Remote {
    /// Calls the vault through `channel`; nothing is dialled yet.
    pub fn new(channel: Channel) -> Self {
        let client =
            VaultServiceClient::new(channel.transport()).max_decoding_message_size(limits::ANSWER);
        Self { link: Link { channel, service: "vault" }, client }
    }

    fn client(&self) -> VaultServiceClient<tonic::transport::Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Vault for Remote {
    async fn status(&self, context: &Context) -> Result<Status> {
        let request = self.link.request(pb::StatusRequest { context: context_to_wire(context) })?;
        let pb::StatusResponse { status } =
            self.link.call(context, self.client().status(request)).await?;
        self.link.read(status, "status")
    }

    async fn create(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        let request = self.link.request(pb::CreateRequest {
            context: context_to_wire(context),
            passphrase: passphrase.into_wire(),
        })?;
        let pb::CreateResponse { status } =
            self.link.call(context, self.client().create(request)).await?;
        self.link.read(status, "status")
    }

    async fn unlock(&self, context: &Context, passphrase: Secret) -> Result<Status> {
        let request = self.link.request(pb::UnlockRequest {
            context: context_to_wire(context),
            passphrase: passphrase.into_wire(),
        })?;
        let pb::UnlockResponse { status } =
            self.link.call(context, self.client().unlock(request)).await?;
        self.link.read(status, "status")
    }

    async fn lock(&self, context: &Context) -> Result<Status> {
        let request = self.link.request(pb::LockRequest { context: context_to_wire(context) })?;
        let pb::LockResponse { status } =
            self.link.call(context, self.client().lock(request)).await?;
        self.link.read(status, "status")
    }

    async fn change_passphrase(
        &self,
        context: &Context,
        change: PassphraseChange,
    ) -> Result<Status> {
        let PassphraseChange { current, new, rotate } = change;
        let request = self.link.request(pb::ChangePassphraseRequest {
            context: context_to_wire(context),
            current: current.into_wire(),
            new: new.into_wire(),
            rotate,
        })?;
        let pb::ChangePassphraseResponse { status } =
            self.link.call(context, self.client().change_passphrase(request)).await?;
        self.link.read(status, "status")
    }

    async fn older(&self, context: &Context) -> Result<Option<Older>> {
        let request = self.link.request(pb::OlderRequest { context: context_to_wire(context) })?;
        let pb::OlderResponse { older } =
            self.link.call(context, self.client().older(request)).await?;
        self.link.read(older, "older")
    }

    async fn accept_older(&self, context: &Context, acceptance: Acceptance) -> Result<Status> {
        let Acceptance { passphrase, generation } = acceptance;
        let request = self.link.request(pb::AcceptOlderRequest {
            context: context_to_wire(context),
            passphrase: passphrase.into_wire(),
            generation,
        })?;
        let pb::AcceptOlderResponse { status } =
            self.link.call(context, self.client().accept_older(request)).await?;
        self.link.read(status, "status")
    }

    async fn entries(&self, context: &Context, filter: EntryFilter) -> Result<Vec<Entry>> {
        let request = self.link.request(pb::EntriesRequest {
            context: context_to_wire(context),
            filter: filter.into_wire(),
        })?;
        let pb::EntriesResponse { entries } =
            self.link.call(context, self.client().entries(request)).await?;
        self.link.read(entries, "entries")
    }

    async fn put_secret(&self, context: &Context, name: SecretName, value: Secret) -> Result<()> {
        let request = self.link.request(pb::PutSecretRequest {
            context: context_to_wire(context),
            name: name.into_wire(),
            value: value.into_wire(),
        })?;
        let pb::PutSecretResponse {} =
            self.link.call(context, self.client().put_secret(request)).await?;
        Ok(())
    }

    async fn delete_secret(&self, context: &Context, name: SecretName) -> Result<()> {
        let request = self.link.request(pb::DeleteSecretRequest {
            context: context_to_wire(context),
            name: name.into_wire(),
        })?;
        let pb::DeleteSecretResponse {} =
            self.link.call(context, self.client().delete_secret(request)).await?;
        Ok(())
    }

    async fn pin(&self, context: &Context, domain: PinDomain, record: Vec<u8>) -> Result<Pin> {
        let request = self.link.request(pb::PinRequest {
            context: context_to_wire(context),
            domain: domain.into_wire(),
            record,
        })?;
        let pb::PinResponse { pin } = self.link.call(context, self.client().pin(request)).await?;
        self.link.read(pin, "pin")
    }

    async fn check_pin(
        &self,
        context: &Context,
        domain: PinDomain,
        record: Vec<u8>,
        pin: Pin,
    ) -> Result<bool> {
        let request = self.link.request(pb::CheckPinRequest {
            context: context_to_wire(context),
            domain: domain.into_wire(),
            record,
            pin: pin.into_wire(),
        })?;
        let pb::CheckPinResponse { matches } =
            self.link.call(context, self.client().check_pin(request)).await?;
        Ok(matches)
    }
}

//! A vault somewhere else.

use aileron_contract::{
    Context, Result, Secret, Vault, limits,
    names::{BindingName, Fqn, HostPort, SecretName},
    vault::{
        Binding, BindingFilter, Consent, Entry, EntryFilter, PassphraseChange, Pin, PinDomain,
        Status,
    },
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

    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        let request = self.link.request(pb::BindRequest {
            context: context_to_wire(context),
            consent: consent.into_wire(),
            value: value.into_wire(),
        })?;
        let pb::BindResponse { binding } =
            self.link.call(context, self.client().bind(request)).await?;
        self.link.read(binding, "binding")
    }

    async fn bindings(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        let request = self.link.request(pb::BindingsRequest {
            context: context_to_wire(context),
            filter: filter.into_wire(),
        })?;
        let pb::BindingsResponse { bindings } =
            self.link.call(context, self.client().bindings(request)).await?;
        self.link.read(bindings, "bindings")
    }

    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        let request = self.link.request(pb::DeclareHostsRequest {
            context: context_to_wire(context),
            connector: connector.into_wire(),
            hosts: hosts.into_wire(),
        })?;
        let pb::DeclareHostsResponse { stale } =
            self.link.call(context, self.client().declare_hosts(request)).await?;
        self.link.read(stale, "stale")
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

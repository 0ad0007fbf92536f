//! A vault handle, served.

use aileron_contract::{
    Secret, limits,
    vault::{Handle, PassphraseChange},
};
use aileron_proto::vault::v1::{
    self as pb,
    vault_service_server::{VaultService, VaultServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use crate::{
    call::{Answer, Call},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> VaultServiceServer<impl VaultService> {
    VaultServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl VaultService for Adapter {
    async fn status(&self, request: Request<pb::StatusRequest>) -> Answer<pb::StatusResponse> {
        let (call, message) = Call::begin("vault.status", request);
        call.answer(async {
            let pb::StatusRequest { context } = message;
            let status = self.0.status(&read(context, "context")?).await?;
            Ok(pb::StatusResponse { status: status.into_wire() })
        })
        .await
    }

    async fn create(&self, request: Request<pb::CreateRequest>) -> Answer<pb::CreateResponse> {
        let (call, message) = Call::begin("vault.create", request);
        call.answer(async {
            let pb::CreateRequest { context, passphrase } = message;
            let passphrase = Secret::new(passphrase);
            let status = self.0.create(&read(context, "context")?, passphrase).await?;
            Ok(pb::CreateResponse { status: status.into_wire() })
        })
        .await
    }

    async fn unlock(&self, request: Request<pb::UnlockRequest>) -> Answer<pb::UnlockResponse> {
        let (call, message) = Call::begin("vault.unlock", request);
        call.answer(async {
            let pb::UnlockRequest { context, passphrase } = message;
            let passphrase = Secret::new(passphrase);
            let status = self.0.unlock(&read(context, "context")?, passphrase).await?;
            Ok(pb::UnlockResponse { status: status.into_wire() })
        })
        .await
    }

    async fn lock(&self, request: Request<pb::LockRequest>) -> Answer<pb::LockResponse> {
        let (call, message) = Call::begin("vault.lock", request);
        call.answer(async {
            let pb::LockRequest { context } = message;
            let status = self.0.lock(&read(context, "context")?).await?;
            Ok(pb::LockResponse { status: status.into_wire() })
        })
        .await
    }

    async fn change_passphrase(
        &self,
        request: Request<pb::ChangePassphraseRequest>,
    ) -> Answer<pb::ChangePassphraseResponse> {
        let (call, message) = Call::begin("vault.change_passphrase", request);
        call.answer(async {
            let pb::ChangePassphraseRequest { context, current, new, rotate } = message;
            let (current, new) = (Secret::new(current), Secret::new(new));
            let change = PassphraseChange { current, new, rotate };
            let status = self.0.change_passphrase(&read(context, "context")?, change).await?;
            Ok(pb::ChangePassphraseResponse { status: status.into_wire() })
        })
        .await
    }

    async fn entries(&self, request: Request<pb::EntriesRequest>) -> Answer<pb::EntriesResponse> {
        let (call, message) = Call::begin("vault.entries", request);
        call.answer(async {
            let pb::EntriesRequest { context, filter } = message;
            let filter = read(filter, "filter")?;
            let entries = self.0.entries(&read(context, "context")?, filter).await?;
            Ok(pb::EntriesResponse { entries: entries.into_wire() })
        })
        .await
    }

    async fn put_secret(
        &self,
        request: Request<pb::PutSecretRequest>,
    ) -> Answer<pb::PutSecretResponse> {
        let (call, message) = Call::begin("vault.put_secret", request);
        call.answer(async {
            let pb::PutSecretRequest { context, name, value } = message;
            let value = Secret::new(value);
            self.0.put_secret(&read(context, "context")?, read(name, "name")?, value).await?;
            Ok(pb::PutSecretResponse {})
        })
        .await
    }

    async fn delete_secret(
        &self,
        request: Request<pb::DeleteSecretRequest>,
    ) -> Answer<pb::DeleteSecretResponse> {
        let (call, message) = Call::begin("vault.delete_secret", request);
        call.answer(async {
            let pb::DeleteSecretRequest { context, name } = message;
            self.0.delete_secret(&read(context, "context")?, read(name, "name")?).await?;
            Ok(pb::DeleteSecretResponse {})
        })
        .await
    }

    async fn bind(&self, request: Request<pb::BindRequest>) -> Answer<pb::BindResponse> {
        let (call, message) = Call::begin("vault.bind", request);
        call.answer(async {
            let pb::BindRequest { context, consent, value } = message;
            let (consent, value) = (read(consent, "consent")?, Secret::new(value));
            let binding = self.0.bind(&read(context, "context")?, consent, value).await?;
            Ok(pb::BindResponse { binding: binding.into_wire() })
        })
        .await
    }

    async fn bindings(
        &self,
        request: Request<pb::BindingsRequest>,
    ) -> Answer<pb::BindingsResponse> {
        let (call, message) = Call::begin("vault.bindings", request);
        call.answer(async {
            let pb::BindingsRequest { context, filter } = message;
            let filter = read(filter, "filter")?;
            let bindings = self.0.bindings(&read(context, "context")?, filter).await?;
            Ok(pb::BindingsResponse { bindings: bindings.into_wire() })
        })
        .await
    }

    async fn declare_hosts(
        &self,
        request: Request<pb::DeclareHostsRequest>,
    ) -> Answer<pb::DeclareHostsResponse> {
        let (call, message) = Call::begin("vault.declare_hosts", request);
        call.answer(async {
            let pb::DeclareHostsRequest { context, connector, hosts } = message;
            let (connector, hosts) = (read(connector, "connector")?, read(hosts, "hosts")?);
            let stale = self.0.declare_hosts(&read(context, "context")?, connector, hosts).await?;
            Ok(pb::DeclareHostsResponse { stale: stale.into_wire() })
        })
        .await
    }

    async fn pin(&self, request: Request<pb::PinRequest>) -> Answer<pb::PinResponse> {
        let (call, message) = Call::begin("vault.pin", request);
        call.answer(async {
            let pb::PinRequest { context, domain, record } = message;
            let pin =
                self.0.pin(&read(context, "context")?, read(domain, "domain")?, record).await?;
            Ok(pb::PinResponse { pin: pin.into_wire() })
        })
        .await
    }

    async fn check_pin(
        &self,
        request: Request<pb::CheckPinRequest>,
    ) -> Answer<pb::CheckPinResponse> {
        let (call, message) = Call::begin("vault.check_pin", request);
        call.answer(async {
            let pb::CheckPinRequest { context, domain, record, pin } = message;
            let (context, pin) = (read(context, "context")?, read(pin, "pin")?);
            let matches = self.0.check_pin(&context, read(domain, "domain")?, record, pin).await?;
            Ok(pb::CheckPinResponse { matches })
        })
        .await
    }
}

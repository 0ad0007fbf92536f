//! A vault handle, served.

use aileron_contract::{
    Secret, limits,
    vault::{Acceptance, Handle, PassphraseChange},
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

    async fn older(&self, request: Request<pb::OlderRequest>) -> Answer<pb::OlderResponse> {
        let (call, message) = Call::begin("vault.older", request);
        call.answer(async {
            let pb::OlderRequest { context } = message;
            let older = self.0.older(&read(context, "context")?).await?;
            Ok(pb::OlderResponse { older: older.into_wire() })
        })
        .await
    }

    async fn accept_older(
        &self,
        request: Request<pb::AcceptOlderRequest>,
    ) -> Answer<pb::AcceptOlderResponse> {
        let (call, message) = Call::begin("vault.accept_older", request);
        call.answer(async {
            let pb::AcceptOlderRequest { context, passphrase, generation } = message;
            let acceptance = Acceptance { passphrase: Secret::new(passphrase), generation };
            let status = self.0.accept_older(&read(context, "context")?, acceptance).await?;
            Ok(pb::AcceptOlderResponse { status: status.into_wire() })
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

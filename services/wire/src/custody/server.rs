//! A custody handle, served.

use aileron_contract::{
    Secret,
    custody::{Handle, Import, Recovery},
    limits,
};
use aileron_proto::vault::v1::{
    self as pb,
    custody_service_server::{CustodyService, CustodyServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use crate::{
    call::{Answer, Call},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> CustodyServiceServer<impl CustodyService> {
    CustodyServiceServer::new(Adapter(handle))
        .max_decoding_message_size(super::IMPORT)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl CustodyService for Adapter {
    async fn put_login(
        &self,
        request: Request<pb::PutLoginRequest>,
    ) -> Answer<pb::PutLoginResponse> {
        let (call, message) = Call::begin("custody.put_login", request);
        call.answer(async {
            let pb::PutLoginRequest { context, login, value } = message;
            let (login, value) = (read(login, "login")?, read(value, "value")?);
            self.0.put_login(&read(context, "context")?, login, value).await?;
            Ok(pb::PutLoginResponse {})
        })
        .await
    }

    async fn delete_login(
        &self,
        request: Request<pb::DeleteLoginRequest>,
    ) -> Answer<pb::DeleteLoginResponse> {
        let (call, message) = Call::begin("custody.delete_login", request);
        call.answer(async {
            let pb::DeleteLoginRequest { context, login } = message;
            self.0.delete_login(&read(context, "context")?, read(login, "login")?).await?;
            Ok(pb::DeleteLoginResponse {})
        })
        .await
    }

    async fn export_login(
        &self,
        request: Request<pb::ExportLoginRequest>,
    ) -> Answer<pb::ExportLoginResponse> {
        let (call, message) = Call::begin("custody.export_login", request);
        call.answer(async {
            let pb::ExportLoginRequest { context, login } = message;
            let value =
                self.0.export_login(&read(context, "context")?, read(login, "login")?).await?;
            Ok(pb::ExportLoginResponse { value: value.into_wire() })
        })
        .await
    }

    async fn add_recovery_key(
        &self,
        request: Request<pb::AddRecoveryKeyRequest>,
    ) -> Answer<pb::AddRecoveryKeyResponse> {
        let (call, message) = Call::begin("custody.add_recovery_key", request);
        call.answer(async {
            let pb::AddRecoveryKeyRequest { context } = message;
            let key = self.0.add_recovery_key(&read(context, "context")?).await?;
            Ok(pb::AddRecoveryKeyResponse { key: key.into_wire() })
        })
        .await
    }

    async fn remove_recovery_key(
        &self,
        request: Request<pb::RemoveRecoveryKeyRequest>,
    ) -> Answer<pb::RemoveRecoveryKeyResponse> {
        let (call, message) = Call::begin("custody.remove_recovery_key", request);
        call.answer(async {
            let pb::RemoveRecoveryKeyRequest { context } = message;
            let status = self.0.remove_recovery_key(&read(context, "context")?).await?;
            Ok(pb::RemoveRecoveryKeyResponse { status: status.into_wire() })
        })
        .await
    }

    async fn recover(&self, request: Request<pb::RecoverRequest>) -> Answer<pb::RecoverResponse> {
        let (call, message) = Call::begin("custody.recover", request);
        call.answer(async {
            let pb::RecoverRequest { context, key, new } = message;
            let recovery = Recovery { key: Secret::new(key), new: Secret::new(new) };
            let status = self.0.recover(&read(context, "context")?, recovery).await?;
            Ok(pb::RecoverResponse { status: status.into_wire() })
        })
        .await
    }

    async fn export(&self, request: Request<pb::ExportRequest>) -> Answer<pb::ExportResponse> {
        let (call, message) = Call::begin("custody.export", request);
        call.answer(async {
            let pb::ExportRequest { context, passphrase } = message;
            let passphrase = Secret::new(passphrase);
            let exported = self.0.export(&read(context, "context")?, passphrase).await?;
            Ok(exported.into_wire())
        })
        .await
    }

    async fn import(&self, request: Request<pb::ImportRequest>) -> Answer<pb::ImportResponse> {
        let (call, message) = Call::begin("custody.import", request);
        call.answer(async {
            let pb::ImportRequest { context, file, passphrase, replace } = message;
            let import = Import { file, passphrase: Secret::new(passphrase), replace };
            Ok(self.0.import(&read(context, "context")?, import).await?.into_wire())
        })
        .await
    }
}

//! An access handle, served.

use aileron_contract::{
    Secret,
    access::{Handle, MintRequest},
    limits,
};
use aileron_proto::vault::v1::{
    self as pb,
    access_service_server::{AccessService, AccessServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use crate::{
    call::{Answer, Call},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> AccessServiceServer<impl AccessService> {
    AccessServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl AccessService for Adapter {
    async fn open_session(
        &self,
        request: Request<pb::OpenSessionRequest>,
    ) -> Answer<pb::OpenSessionResponse> {
        let (call, message) = Call::begin("access.open_session", request);
        call.answer(async {
            let pb::OpenSessionRequest { context, passphrase } = message;
            let passphrase = Secret::new(passphrase);
            let opened = self.0.open_session(&read(context, "context")?, passphrase).await?;
            Ok(opened.into_wire())
        })
        .await
    }

    async fn close_sessions(
        &self,
        request: Request<pb::CloseSessionsRequest>,
    ) -> Answer<pb::CloseSessionsResponse> {
        let (call, message) = Call::begin("access.close_sessions", request);
        call.answer(async {
            let pb::CloseSessionsRequest { context, id } = message;
            self.0.close_sessions(&read(context, "context")?, id).await?;
            Ok(pb::CloseSessionsResponse {})
        })
        .await
    }

    async fn sessions(
        &self,
        request: Request<pb::SessionsRequest>,
    ) -> Answer<pb::SessionsResponse> {
        let (call, message) = Call::begin("access.sessions", request);
        call.answer(async {
            let pb::SessionsRequest { context } = message;
            let sessions = self.0.sessions(&read(context, "context")?).await?;
            Ok(pb::SessionsResponse { sessions: sessions.into_wire() })
        })
        .await
    }

    async fn mint(&self, request: Request<pb::MintRequest>) -> Answer<pb::MintResponse> {
        let (call, message) = Call::begin("access.mint", request);
        call.answer(async {
            let pb::MintRequest { context, label, scopes, expires_at } = message;
            let scopes = read(scopes, "scopes")?;
            let expires_at = read(expires_at, "expires_at")?;
            let request = MintRequest { label, scopes, expires_at };
            let minted = self.0.mint(&read(context, "context")?, request).await?;
            Ok(minted.into_wire())
        })
        .await
    }

    async fn tokens(&self, request: Request<pb::TokensRequest>) -> Answer<pb::TokensResponse> {
        let (call, message) = Call::begin("access.tokens", request);
        call.answer(async {
            let pb::TokensRequest { context } = message;
            let tokens = self.0.tokens(&read(context, "context")?).await?;
            Ok(pb::TokensResponse { tokens: tokens.into_wire() })
        })
        .await
    }

    async fn revoke_token(
        &self,
        request: Request<pb::RevokeTokenRequest>,
    ) -> Answer<pb::RevokeTokenResponse> {
        let (call, message) = Call::begin("access.revoke_token", request);
        call.answer(async {
            let pb::RevokeTokenRequest { context, id } = message;
            self.0.revoke(&read(context, "context")?, id).await?;
            Ok(pb::RevokeTokenResponse {})
        })
        .await
    }

    async fn admit_agent(
        &self,
        request: Request<pb::AdmitAgentRequest>,
    ) -> Answer<pb::AdmitAgentResponse> {
        let (call, message) = Call::begin("access.admit_agent", request);
        call.answer(async {
            let pb::AdmitAgentRequest { context, session, begun_by } = message;
            let (session, begun_by) = (read(session, "session")?, read(begun_by, "begun_by")?);
            let context = read(context, "context")?;
            let bearer = self.0.admit_agent(&context, session, begun_by).await?;
            Ok(pb::AdmitAgentResponse { bearer: bearer.into_wire() })
        })
        .await
    }

    async fn dismiss_agents(
        &self,
        request: Request<pb::DismissAgentsRequest>,
    ) -> Answer<pb::DismissAgentsResponse> {
        let (call, message) = Call::begin("access.dismiss_agents", request);
        call.answer(async {
            let pb::DismissAgentsRequest { context, session } = message;
            let session = read(session, "session")?;
            self.0.dismiss_agents(&read(context, "context")?, session).await?;
            Ok(pb::DismissAgentsResponse {})
        })
        .await
    }

    async fn authenticate(
        &self,
        request: Request<pb::AuthenticateRequest>,
    ) -> Answer<pb::AuthenticateResponse> {
        let (call, message) = Call::begin("access.authenticate", request);
        call.answer(async {
            let pb::AuthenticateRequest { bearer } = message;
            let caller = self.0.authenticate(Secret::new(bearer)).await?;
            Ok(caller.into_wire())
        })
        .await
    }
}

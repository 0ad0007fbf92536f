//! A sessions handle, served.

use aileron_contract::{
    limits,
    sessions::{Begin, Filter, Handle},
};
use aileron_proto::launcher::v1::{
    self as pb,
    sessions_service_server::{SessionsService, SessionsServiceServer},
};
use async_trait::async_trait;
use tonic::Request;

use crate::{
    call::{Answer, Call},
    message::{Wire, read},
};

/// The gRPC service that answers with `handle`.
pub fn serve(handle: Handle) -> SessionsServiceServer<impl SessionsService> {
    SessionsServiceServer::new(Adapter(handle))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::ANSWER)
}

struct Adapter(Handle);

#[async_trait]
impl SessionsService for Adapter {
    async fn begin(&self, request: Request<pb::BeginRequest>) -> Answer<pb::BeginResponse> {
        let (call, message) = Call::begin("sessions.begin", request);
        call.answer(async {
            let pb::BeginRequest { context, agent, working_dir } = message;
            let request = Begin { agent: read(agent, "agent")?, working_dir };
            let begun = self.0.begin(&read(context, "context")?, request).await?;
            Ok(begun.into_wire())
        })
        .await
    }

    async fn end(&self, request: Request<pb::EndRequest>) -> Answer<pb::EndResponse> {
        let (call, message) = Call::begin("sessions.end", request);
        call.answer(async {
            let pb::EndRequest { context, id, exit_code } = message;
            let id = read(id, "id")?;
            let session = self.0.end(&read(context, "context")?, id, exit_code).await?;
            Ok(pb::EndResponse { session: session.into_wire() })
        })
        .await
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Answer<pb::ListResponse> {
        let (call, message) = Call::begin("sessions.list", request);
        call.answer(async {
            let pb::ListRequest { context, active_only, agent, since, limit } = message;
            let (agent, since) = (read(agent, "agent")?, read(since, "since")?);
            let filter = Filter { active_only, agent, since, limit };
            let sessions = self.0.list(&read(context, "context")?, filter).await?;
            Ok(pb::ListResponse { sessions: sessions.into_wire() })
        })
        .await
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Answer<pb::GetResponse> {
        let (call, message) = Call::begin("sessions.get", request);
        call.answer(async {
            let pb::GetRequest { context, id } = message;
            let session = self.0.get(&read(context, "context")?, read(id, "id")?).await?;
            Ok(pb::GetResponse { session: session.into_wire() })
        })
        .await
    }
}

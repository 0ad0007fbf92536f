use aileron_contract::{
    Context, Error, Reason, Result, Scope, Secret, Sessions,
    names::SessionId,
    sessions::{Begin, Begun, Filter, Session},
};
use async_trait::async_trait;

use super::{World, world::later};

fn session(id: SessionId, exit_code: Option<i32>) -> Session {
    Session {
        id,
        started_at: later(),
        ended_at: exit_code.map(|_| later()),
        agent: "claude".parse().unwrap(),
        working_dir: "/work".to_owned(),
        exit_code,
        first_event: Some(1),
    }
}

#[async_trait]
impl Sessions for World {
    async fn begin(&self, context: &Context, request: Begin) -> Result<Begun> {
        self.enter("begin_session", context, Scope::SessionsRun)?;
        let begun = session("01A".parse().unwrap(), None);
        let session = Session { agent: request.agent, working_dir: request.working_dir, ..begun };
        Ok(Begun { session, bearer: Secret::from("agents-own".to_owned()) })
    }

    async fn end(
        &self,
        context: &Context,
        id: SessionId,
        exit_code: Option<i32>,
    ) -> Result<Session> {
        self.enter("end_session", context, Scope::SessionsRun)?;
        Ok(session(id, exit_code))
    }

    async fn list(&self, context: &Context, _: Filter) -> Result<Vec<Session>> {
        self.enter("list_sessions", context, Scope::SessionsRead)?;
        Ok(vec![session("01A".parse().unwrap(), None)])
    }

    async fn get(&self, context: &Context, id: SessionId) -> Result<Session> {
        self.enter("get_session", context, Scope::SessionsRead)?;
        match id.as_str() {
            "01A" => Ok(Session { working_dir: self.text("/work"), ..session(id, None) }),
            "01B" => Ok(session(id, Some(0))),
            _ => Err(Error::new(Reason::NotFound, "no such session")),
        }
    }
}

use aileron_api::sessions::{BegunSession, Session};
use aileron_contract::{Result, sessions};

use super::{access::shown_once, text};

pub(crate) fn begun(begun: sessions::Begun) -> Result<BegunSession> {
    let sessions::Begun { session: inner, bearer } = begun;
    Ok(BegunSession { session: session(inner), caveat_token: Some(shown_once(&bearer)?) })
}

pub(crate) fn session(session: sessions::Session) -> Session {
    let state = session.state().text().to_owned();
    let sessions::Session {
        id,
        started_at,
        ended_at,
        agent,
        working_dir,
        exit_code,
        first_event: _,
    } = session;
    Session {
        id: id.to_string(),
        state,
        started_at: started_at.to_string(),
        ended_at: text(ended_at),
        agent: agent.to_string(),
        working_dir,
        exit_code,
    }
}

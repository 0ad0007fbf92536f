//! The types of the sessions contract, field by field.

use aileron_contract::sessions::{Begun, Session};
use aileron_proto::launcher::v1 as pb;

use crate::message::messages;

messages! {
    Session => pb::Session {
        id, started_at, ended_at, agent, working_dir, exit_code, first_event,
    }

    Begun => pb::BeginResponse { session, bearer }
}

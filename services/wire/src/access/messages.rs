//! The types of the access contract, field by field.

use aileron_contract::access::{Caller, Minted, Opened, PersonSession, Token};
use aileron_proto::vault::v1 as pb;

use crate::message::messages;

messages! {
    PersonSession => pb::PersonSession { id, opened_at, expires_at }

    Opened => pb::OpenSessionResponse { session, bearer }

    Token => pb::Token { id, label, scopes, created_at, expires_at, revoked_at }

    Minted => pb::MintResponse { token, bearer }

    Caller => pb::AuthenticateResponse { principal, begun_by, scopes, expires_at }
}

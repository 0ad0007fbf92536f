use aileron_contract::{
    Principal, Scope, Scopes, Secret,
    access::{Caller, MintRequest, PersonSession, Token},
};

use super::{before_1970, text, time};

pub(crate) fn bearer(full: bool) -> Secret {
    Secret::new(if full { vec![0, 159, 146, 150] } else { Vec::new() })
}

pub(crate) fn session(full: bool) -> PersonSession {
    PersonSession {
        id: text(full).unwrap_or_default(),
        opened_at: before_1970(),
        expires_at: time(),
    }
}

pub(crate) fn sessions(full: bool) -> Vec<PersonSession> {
    if full { vec![session(true), session(false)] } else { Vec::new() }
}

pub(crate) fn mint_request(full: bool) -> MintRequest {
    MintRequest { label: text(full).unwrap_or_default(), scopes: scopes(full), expires_at: time() }
}

pub(crate) fn token(full: bool) -> Token {
    Token {
        id: "tok".to_owned(),
        label: text(full).unwrap_or_default(),
        scopes: scopes(full),
        created_at: before_1970(),
        expires_at: time(),
        revoked_at: full.then(time),
    }
}

pub(crate) fn tokens(full: bool) -> Vec<Token> {
    if full { vec![token(true), token(false)] } else { Vec::new() }
}

pub(crate) fn caller(full: bool) -> Caller {
    Caller {
        principal: if full {
            Principal::Person("p1".into())
        } else {
            Principal::Service("gateway".into())
        },
        begun_by: full.then(|| Principal::Program("daemon".into())),
        scopes: scopes(full),
        expires_at: full.then(time),
    }
}

fn scopes(full: bool) -> Scopes {
    if full {
        [Scope::VaultManage, Scope::AuditRead].into_iter().collect()
    } else {
        Scopes::default()
    }
}

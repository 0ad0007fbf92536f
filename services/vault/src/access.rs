//! Who a bearer token stands for: the person, a program the person gave rights to, an agent
//! session, or a program that only read `daemon.json`.

mod agents;
mod revocations;
mod sessions;
pub(crate) mod tokens;

use std::sync::Arc;

use aileron_contract::{
    Access, Context, Error, Principal, Reason, Result, Scope, Scopes, Secret,
    access::{Caller, MintRequest, Minted, Opened, PersonSession, Token},
    audit::{Actor, Event, EventKind},
    limits,
    names::{SessionId, Sha256Hash},
};
use async_trait::async_trait;

use crate::{
    envelope,
    file::VaultFile,
    keeper::{Keeper, Turn, attempt::Proven},
    passes::{hashed, same},
};

pub(crate) use agents::Agents;
pub(crate) use revocations::Revocations;
pub(crate) use sessions::Sessions;

/// How the bearer of a person session begins.
const PERSON: &str = "alp_";

/// How the bearer of an agent session begins.
const AGENT: &str = "ala_";

/// How the bearer of a minted token begins.
const TOKEN: &str = "alt_";

/// Access as its contract promises it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) agents: Agents,
    /// The hash of the token in `daemon.json`.
    pub(crate) daemon: Option<Sha256Hash>,
}

#[async_trait]
impl Access for Door {
    // The passphrase is the proof: no right is needed to offer it.
    async fn open_session(&self, context: &Context, passphrase: Secret) -> Result<Opened> {
        context.require(Scope::StatusRead)?;
        let turn = self.keeper.turn(context).await?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.sessions);
        let opening = async move { open(&keeper, &sessions, &context, (turn, passphrase)).await };
        self.keeper.owned(opening).await
    }

    async fn close_sessions(&self, context: &Context, id: Option<String>) -> Result<()> {
        context.require(Scope::TokensMint)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let sessions = Arc::clone(&self.sessions);
        self.keeper
            .owned(async move {
                let closed = match id {
                    Some(id) => sessions.close(&context, &id),
                    None => sessions.close_all(&context),
                };
                keeper.record(&context, &closed).await
            })
            .await
    }

    async fn sessions(&self, context: &Context) -> Result<Vec<PersonSession>> {
        context.require(Scope::TokensMint)?;
        Ok(self.sessions.list((self.keeper.clock)()))
    }

    async fn mint(&self, context: &Context, request: MintRequest) -> Result<Minted> {
        context.require(Scope::TokensMint)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { tokens::mint(&keeper, &context, request).await }).await
    }

    async fn tokens(&self, context: &Context) -> Result<Vec<Token>> {
        context.require(Scope::TokensMint)?;
        tokens::list(&self.keeper, &self.revocations).await
    }

    async fn revoke(&self, context: &Context, id: String) -> Result<()> {
        context.require(Scope::TokensMint)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        let revocations = Arc::clone(&self.revocations);
        self.keeper
            .owned(async move { tokens::revoke(&keeper, &revocations, &context, &id).await })
            .await
    }

    async fn admit_agent(
        &self,
        context: &Context,
        session: SessionId,
        begun_by: Principal,
    ) -> Result<Secret> {
        context.require(Scope::TokensMint)?;
        self.agents.admit(session, begun_by)
    }

    async fn dismiss_agents(&self, context: &Context, session: Option<SessionId>) -> Result<()> {
        context.require(Scope::TokensMint)?;
        self.agents.dismiss(session.as_ref());
        Ok(())
    }

    async fn authenticate(&self, bearer: Secret) -> Result<Caller> {
        if bearer.is_empty() {
            return Err(Error::new(Reason::TokenMissing, "this call needs a bearer token"));
        }
        if bearer.len() > limits::TOKEN_BEARER {
            return Err(unknown());
        }
        let hash = hashed(&bearer);
        if self.daemon.is_some_and(|daemon| same(&daemon, &hash)) {
            return Ok(Caller {
                principal: Principal::Program(Principal::DAEMON.into()),
                begun_by: None,
                scopes: Scopes::of_daemon_token(),
                expires_at: None,
            });
        }
        let begins = |prefix: &str| bearer.expose(|bytes| bytes.starts_with(prefix.as_bytes()));
        if begins(PERSON) {
            let session = self.sessions.find(&hash, (self.keeper.clock)())?;
            self.keeper.touch();
            return Ok(Caller {
                principal: Principal::Person(session.id.into()),
                begun_by: None,
                scopes: Scopes::all(),
                expires_at: Some(session.expires_at),
            });
        }
        if begins(AGENT) {
            let (session, begun_by) = self.agents.find(&hash).ok_or_else(unknown)?;
            return Ok(Caller {
                principal: Principal::Agent(session.as_str().into()),
                begun_by: Some(begun_by),
                scopes: Scopes::of_agent(),
                expires_at: None,
            });
        }
        if begins(TOKEN) {
            return tokens::authenticate(&self.keeper, &self.revocations, &hash).await;
        }
        Err(unknown())
    }
}

async fn open(
    keeper: &Keeper,
    sessions: &Sessions,
    context: &Context,
    (mut turn, passphrase): (Turn, Secret),
) -> Result<Opened> {
    let refused = EventKind::PersonSessionRefused;
    let Proven { file, keys } = keeper.prove(context, &mut turn, passphrase, refused).await?;
    drop(keys);
    if matches!(&*file, VaultFile::V1(file) if file.takes_any_passphrase()) {
        return Err(Error::new(
            Reason::VaultLocked,
            "this old vault file is empty and has no passphrase yet: unlock it first, and the \
             passphrase you give counts from then on",
        ));
    }
    let opened = Sessions::prepare((keeper.clock)())?;
    let event = Event::new(EventKind::PersonSessionOpened, Actor::of(context))
        .with("aileron.person_session.id", opened.session.id.as_str());
    keeper.record(context, &[event]).await?;
    let ended = sessions.admit(context, &opened);
    keeper.record(context, &ended).await?;
    Ok(opened)
}

/// A name that says nothing.
fn fresh_id(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}-{}", hex::encode(envelope::random::<8>()?)))
}

fn unknown() -> Error {
    Error::new(
        Reason::TokenInvalid,
        "this bearer token is not known here: it was revoked, its session ended, or the daemon \
         was restarted",
    )
}

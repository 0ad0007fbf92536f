use std::sync::Mutex;

use aileron_contract::{
    Access, Context, Error, Principal, Reason, Result, Scope, Scopes, Secret, Timestamp,
    access::{Caller, MintRequest, Minted, Opened, PersonSession, Token},
    audit::Record,
    bindings::{Begin, Consent},
    executor::{Call, Decision, Started},
    failure::Failure,
    names::SessionId,
    vault::State,
};
use async_trait::async_trait;

pub(crate) const PERSON: &str = "person-token";
pub(crate) const PROGRAM: &str = "program-token";
pub(crate) const AGENT: &str = "agent-token";

/// Every service at once: remembers what it was asked, answers what the test wants.
#[derive(Default)]
pub(crate) struct World {
    /// Method and context of every call that passed its scope check.
    pub(crate) calls: Mutex<Vec<(&'static str, Context)>>,
    /// What the next calls fail with.
    pub(crate) error: Mutex<Option<Error>>,
    pub(crate) outcome: Mutex<Option<Outcome>>,
    pub(crate) runs: Mutex<Vec<Call>>,
    pub(crate) decisions: Mutex<Vec<Decision>>,
    pub(crate) consents: Mutex<Vec<(Consent, Vec<u8>)>>,
    pub(crate) begun: Mutex<Vec<Begin>>,
    pub(crate) secrets: Mutex<Vec<(String, Vec<u8>)>>,
    pub(crate) state: Mutex<Option<State>>,
    /// The log, and what a watch does after it.
    pub(crate) log: Mutex<Vec<Record>>,
    pub(crate) watches: Mutex<Vec<u64>>,
    pub(crate) cut_after: Mutex<Option<usize>>,
    /// What stands at the end of every text that somebody else wrote.
    pub(crate) planted: Mutex<String>,
}

#[derive(Clone)]
pub(crate) enum Outcome {
    Done,
    Pending,
    Failed(Failure),
    Panic,
}

impl World {
    /// What every method begins with.
    pub(crate) fn enter(&self, name: &'static str, context: &Context, scope: Scope) -> Result<()> {
        context.require(scope)?;
        self.calls.lock().unwrap().push((name, context.clone()));
        match &*self.error.lock().unwrap() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Somebody else's text.
    pub(crate) fn text(&self, plain: &str) -> String {
        format!("{plain}{}", self.planted.lock().unwrap())
    }

    pub(crate) fn fail(&self, error: Error) {
        *self.error.lock().unwrap() = Some(error);
    }

    pub(crate) fn answer(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap() = Some(outcome);
    }

    pub(crate) fn called(&self, name: &str) -> Vec<Context> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(called, _)| *called == name).map(|(_, c)| c.clone()).collect()
    }

    pub(crate) fn started(&self) -> Started {
        // Taken out first: a panic below must not poison the lock.
        let outcome = self.outcome.lock().unwrap().clone();
        match outcome.unwrap_or(Outcome::Done) {
            Outcome::Done => Started::Done(super::executor::result()),
            Outcome::Pending => Started::Pending(super::executor::parked()),
            Outcome::Failed(failure) => Started::Failed(failure),
            Outcome::Panic => panic!("a bug in a service"),
        }
    }
}

pub(crate) fn later() -> Timestamp {
    "2030-06-01T00:00:00Z".parse().unwrap()
}

#[async_trait]
impl Access for World {
    async fn open_session(&self, _: &Context, passphrase: Secret) -> Result<Opened> {
        passphrase.expose(|text| match text {
            b"good" => Ok(()),
            b"late" => Err(Error::new(Reason::UnlockBackoff, "wait")
                .with_details(serde_json::json!({"retry_after_seconds": 8}))),
            _ => Err(Error::new(Reason::PassphraseRejected, "wrong passphrase")),
        })?;
        let session =
            PersonSession { id: "p2".to_owned(), opened_at: later(), expires_at: later() };
        Ok(Opened { session, bearer: Secret::from("fresh-token".to_owned()) })
    }

    async fn close_sessions(&self, context: &Context, _: Option<String>) -> Result<()> {
        self.enter("close_sessions", context, Scope::TokensMint)
    }

    async fn sessions(&self, context: &Context) -> Result<Vec<PersonSession>> {
        self.enter("sessions", context, Scope::TokensMint)?;
        Ok(Vec::new())
    }

    async fn mint(&self, context: &Context, request: MintRequest) -> Result<Minted> {
        self.enter("mint", context, Scope::TokensMint)?;
        let MintRequest { label, scopes, expires_at } = request;
        let token = Token {
            id: "t1".to_owned(),
            label,
            scopes,
            created_at: later(),
            expires_at,
            revoked_at: None,
        };
        Ok(Minted { token, bearer: Secret::from("minted-token".to_owned()) })
    }

    async fn tokens(&self, context: &Context) -> Result<Vec<Token>> {
        self.enter("tokens", context, Scope::TokensMint)?;
        Ok(Vec::new())
    }

    async fn revoke(&self, context: &Context, _: String) -> Result<()> {
        self.enter("revoke_token", context, Scope::TokensMint)
    }

    async fn admit_agent(&self, _: &Context, _: SessionId, _: Principal) -> Result<Secret> {
        panic!("the gateway admits no agents")
    }

    async fn dismiss_agents(&self, _: &Context, _: Option<SessionId>) -> Result<()> {
        panic!("the gateway dismisses no agents")
    }

    async fn authenticate(&self, bearer: Secret) -> Result<Caller> {
        let (principal, scopes) = bearer.expose(|bytes| match std::str::from_utf8(bytes) {
            Ok(PERSON) => Ok((Principal::Person("p1".into()), Scopes::all())),
            Ok("fresh-token") => Ok((Principal::Person("p2".into()), Scopes::all())),
            Ok(PROGRAM) => Ok((Principal::Program("daemon".into()), Scopes::of_daemon_token())),
            Ok(AGENT) => {
                let scopes = [Scope::ActionsList, Scope::ActionsRun, Scope::ApprovalsPoll];
                Ok((Principal::Agent("own-session".into()), scopes.into_iter().collect()))
            }
            _ => Err(Error::new(Reason::TokenInvalid, "this token is not one of ours")),
        })?;
        let expires_at = principal.is_person().then(later);
        Ok(Caller { principal, begun_by: None, scopes, expires_at })
    }
}

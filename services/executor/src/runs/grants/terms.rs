//! What a grant would cover, worked out from a person's wish and from what is installed and bound
//! now.

use std::sync::Arc;

use aileron_contract::{
    Error, Reason, Result, Timestamp,
    executor::{
        GrantCaller, GrantRequest, GrantTerms, GrantedArgument, GrantedBinding, GrantedConnector,
    },
    json, limits,
    names::{ActionName, Identity},
    vault::State,
};
use serde_json::Map;

use super::{
    form,
    record::{Terms, TermsBinding, TermsConnector},
    rules, standing,
};
use crate::{
    packages::catalog::{Installed, quarantined},
    runs::{engine::Engine, plan::Plan},
};

impl Engine {
    /// Everything that the grant would cover.
    pub(super) async fn terms(&self, request: GrantRequest) -> Result<Terms> {
        let GrantRequest { action, identity, caller, arguments, max_uses, expires_at } = request;
        bounded(max_uses, expires_at, self.now())?;
        if self.vault_state().await? != State::Unlocked {
            return Err(Error::new(
                Reason::VaultLocked,
                "the vault is locked, so nothing can be granted: unlock it first",
            ));
        }
        let installed = self.grantable(&action).await?;
        let arguments = rules::checked(&installed.file.inputs, arguments)?;
        if self.caller_gone(&caller).await?.is_some() {
            return Err(refused(
                "that session has ended, or that token was revoked: nobody could use the grant"
                    .to_owned(),
            ));
        }
        self.not_longer_than(&caller, expires_at).await?;
        let plan = Plan::of(Arc::clone(&installed), &Map::new())
            .map_err(|failure| Error::new(Reason::ValidationError, failure.message))?;
        let bindings = self.bound(&plan, identity.as_ref()).await?;
        let terms = Terms {
            action,
            action_version: installed.file.version.clone(),
            action_hash: installed.hash,
            connectors: standing::connectors(&installed),
            bindings,
            identity,
            caller,
            arguments,
            max_uses,
            expires_at,
        };
        let text = json::canonical(&terms)?.len();
        if text > limits::GRANT_TEXT {
            return Err(refused(format!(
                "what this grant covers is {text} bytes long, more than a person can look over"
            )));
        }
        Ok(terms)
    }

    /// The bindings that every call would use.
    async fn bound(&self, plan: &Plan, identity: Option<&Identity>) -> Result<Vec<TermsBinding>> {
        let credentials = self
            .credentials(plan, identity)
            .await?
            .map_err(|failure| Error::new(Reason::BindingNotFound, failure.message))?;
        standing::bindings(&credentials).map_err(|lacking| {
            let text = format!(
                "{} has no active binding that every call would use: bind one, or name the \
                 identity",
                lacking.connector
            );
            Error::new(Reason::BindingNotFound, text)
        })
    }

    /// A grant ends with the token it is for: revoking one the log tells, and this is its time.
    async fn not_longer_than(&self, caller: &GrantCaller, expires_at: Timestamp) -> Result<()> {
        let GrantCaller::Token(id) = caller else { return Ok(()) };
        let Some(end) = self.parts.tokens.end(id.as_str()).await? else {
            return Err(refused(format!(
                "there is no token {id}: aileron token list shows those there are"
            )));
        };
        // Tokens are kept to the millisecond.
        if expires_at.as_millisecond() > end.as_millisecond() {
            return Err(refused(format!(
                "the token {id} is good until {end} only: let the grant end by then, or mint a \
                 token for longer"
            )));
        }
        Ok(())
    }

    /// The action, if calls of it may be granted at all.
    async fn grantable(&self, name: &ActionName) -> Result<Arc<Installed>> {
        let Some(installed) = self.parts.library.action(name).await? else {
            return Err(Error::new(
                Reason::NotFound,
                format!("no action named {name} is installed: list them first"),
            ));
        };
        if !installed.enabled {
            return Err(Error::new(
                Reason::ActionDisabled,
                format!("the action {name} is disabled: a person may enable it"),
            ));
        }
        if installed.pinned != Some(true) {
            return Err(quarantined(name, &installed.path));
        }
        if !installed.file.gated() {
            return Err(Error::new(
                Reason::InvalidRequest,
                format!("{name} needs no approval: it runs without a grant"),
            ));
        }
        // Nobody looks at a preview when a grant is used, and what it would show may differ each
        // time: such a call is decided by itself.
        if installed.file.approval.as_ref().is_some_and(|rule| rule.preview.is_some()) {
            return Err(Error::new(
                Reason::InvalidRequest,
                format!(
                    "{name} shows what it would act upon before each decision, so its calls \
                     cannot be granted in advance"
                ),
            ));
        }
        Ok(installed)
    }
}

/// A grant has an end, in uses and in time.
fn bounded(max_uses: u32, expires_at: Timestamp, now: Timestamp) -> Result<()> {
    if !(1..=limits::GRANT_USES).contains(&max_uses) {
        return Err(refused(format!("a grant has 1 to {} uses", limits::GRANT_USES)));
    }
    let latest = now.checked_add(limits::GRANT_WALL).map_err(Error::internal)?;
    if expires_at <= now || expires_at > latest {
        let days = limits::GRANT_WALL.as_secs() / 86_400;
        return Err(refused(format!("a grant ends in the future, at most {days} days from now")));
    }
    Ok(())
}

fn refused(public: String) -> Error {
    Error::new(Reason::InvalidRequest, public)
}

/// The terms as a person sees them.
pub(super) fn shown(terms: &Terms) -> Result<GrantTerms> {
    let digest = form::digest(terms)?;
    let connector = |connector: &TermsConnector| {
        let TermsConnector { package, hash, operations } = connector.clone();
        GrantedConnector { package, hash, operations }
    };
    let binding = |binding: &TermsBinding| {
        let TermsBinding { connector, binding, hosts, agreed_at: _ } = binding.clone();
        GrantedBinding { connector, binding, hosts }
    };
    let arguments: Vec<GrantedArgument> = terms.arguments.iter().map(rules::told).collect();
    Ok(GrantTerms {
        action: terms.action.clone(),
        version: terms.action_version.clone(),
        action_hash: terms.action_hash,
        connectors: terms.connectors.iter().map(connector).collect(),
        bindings: terms.bindings.iter().map(binding).collect(),
        identity: terms.identity.clone(),
        caller: terms.caller.clone(),
        arguments,
        max_uses: terms.max_uses,
        expires_at: terms.expires_at,
        digest,
    })
}

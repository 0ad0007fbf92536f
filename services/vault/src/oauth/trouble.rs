//! Why a provider gave no tokens, told in its status and RFC 6749 code alone.

use aileron_contract::{
    Error, Reason,
    egress::Sent,
    failure::{Boundary, Class, Failure},
    names::BindingName,
};
use serde_json::json;

use super::answer::Refusal;
use crate::egress::provider::Lost;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// It answered, and the answer holds no tokens.
    #[error("the provider answered {status}{}", spoken(code.as_deref()))]
    Refused { status: u16, code: Option<String> },
    /// There is no answer. Whether the question arrived may be unknown.
    #[error("the provider did not answer: {why}")]
    Lost { sent: Sent, why: String },
    /// It was never asked.
    #[error("the provider was not asked: {0} cannot be used")]
    Misplaced(&'static str),
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        Self::Lost { sent: lost.sent, why: lost.problem.to_string() }
    }
}

impl Trouble {
    pub(super) fn refused(status: u16, body: &[u8]) -> Self {
        let code = Refusal::parse(body).and_then(|refusal| refusal.code());
        Self::Refused { status, code }
    }

    /// The RFC 6749 code, if the provider gave one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, status: _ } => code.as_deref(),
            Self::Lost { .. } | Self::Misplaced(_) => None,
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, code: _ } => Some(*status),
            Self::Lost { .. } | Self::Misplaced(_) => None,
        }
    }

    /// Where no tokens were asked for.
    pub(crate) fn of_revocation(&self) -> String {
        match self {
            Self::Refused { status, code: None } => format!("the provider answered {status}"),
            Self::Refused { .. } | Self::Lost { .. } | Self::Misplaced(_) => self.to_string(),
        }
    }

    /// Is it likely to pass?
    pub(crate) fn passing(&self) -> bool {
        match self {
            Self::Lost { .. } => true,
            Self::Misplaced(_) => false,
            Self::Refused { status, code } => {
                let code = code.as_deref().unwrap_or_default();
                *status >= 500
                    || *status == 429
                    || ["temporarily_unavailable", "server_error", "slow_down"].contains(&code)
            }
        }
    }

    /// Of a setup.
    pub(crate) fn error(&self) -> Error {
        let advice = if self.passing() { "try again in a moment" } else { "begin the setup again" };
        Error::new(
            Reason::TokenExchangeFailed,
            format!("no tokens were obtained: {self}; {advice}"),
        )
        .with_details(json!({ "status": self.status(), "error": self.code() }))
    }

    /// Of a request that needed a fresh token.
    pub(crate) fn failure(&self, binding: &BindingName) -> Failure {
        let passing = self.passing();
        let advice = if passing {
            "the binding is kept; try again in a moment".to_owned()
        } else {
            format!("run `aileron binding reauthorize {binding}` if this persists")
        };
        let text = format!("the token of {binding} could not be refreshed: {self}; {advice}");
        let mut failure = Failure::new(Class::BindingFailed, Boundary::External, text)
            .retriable(passing)
            .detail("binding", binding.as_str());
        if let Some(status) = self.status() {
            failure = failure.detail("status", status);
        }
        match self.code() {
            Some(code) => failure.detail("error", code),
            None => failure,
        }
    }
}

fn spoken(code: Option<&str>) -> String {
    code.map_or_else(|| " and no tokens".to_owned(), |code| format!(" ({code})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_missed_only_where_they_were_asked_for() {
        let silent = Trouble::Refused { status: 503, code: None };
        assert_eq!(silent.to_string(), "the provider answered 503 and no tokens");
        assert_eq!(silent.of_revocation(), "the provider answered 503");
        let told = Trouble::Refused { status: 400, code: Some("invalid_client".to_owned()) };
        assert_eq!(told.of_revocation(), told.to_string());
    }
}

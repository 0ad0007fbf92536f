//! OAuth 2.0: credentials that a provider gives, refreshes and takes back.
//!
//! A person consents in a browser ([`setups`]) or at another machine ([`devices`]); the tokens
//! are sealed like any credential ([`store`]); egress gets an access token that lives
//! ([`tokens`]), and nobody else gets anything. Who asks for a refresh does not matter to it: it
//! runs once per binding and to its end, and before the provider is asked the file says so.

mod answer;
mod devices;
mod drift;
mod flights;
mod flows;
mod grant;
mod places;
mod provider;
mod refresh;
#[cfg(test)]
mod samples;
mod setups;
mod store;
mod tokens;
mod trouble;

pub(crate) use drift::declare as declare_scopes;
pub(crate) use flows::{Flows, Waiting};
pub(crate) use tokens::Tokens;

/// Is what we take from a provider, or from an older file, stored so that it reads back?
pub(crate) fn reads_back(bytes: &[u8]) -> bool {
    let kept = |grant: &grant::Grant| {
        grant.render().is_ok_and(|text| grant::Grant::parse(&text).as_ref() == Ok(grant))
    };
    let stored = grant::Grant::parse(bytes);
    let answer = serde_json::from_slice::<answer::Answer>(bytes);
    let now = aileron_contract::Timestamp::UNIX_EPOCH;
    match (&stored, &answer) {
        (Ok(grant), Ok(answer)) => kept(grant) && kept(&grant.refreshed(answer, now)),
        (Ok(grant), Err(_)) => kept(grant),
        (Err(_), _) => true,
    }
}

//! Bindings.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::{
    Sensitive,
    bindings::{
        Binding, BindingFilter, BindingSetup, BindingSetupResult, Bindings, Rebind, RenewConsent,
        RevokedBinding,
    },
    oauth2,
};

const OAUTH2: [&str; 3] = ["bindings", "setup", "oauth2"];

impl Client {
    pub async fn bindings(&self, filter: &BindingFilter) -> Result<Answer<Bindings>> {
        self.send(Call::new(Method::GET, &["bindings"]).filter(filter)).await?.json()
    }

    pub async fn binding(&self, name: &str) -> Result<Answer<Binding>> {
        self.get(&["bindings", name]).await
    }

    pub async fn set_up_bindings(&self, body: &BindingSetup) -> Result<Answer<BindingSetupResult>> {
        self.send(Call::new(Method::POST, &["bindings", "setup"]).json(body)).await?.json()
    }

    pub async fn rebind(&self, name: &str, body: &Rebind) -> Result<Answer<Binding>> {
        self.send(Call::new(Method::POST, &["bindings", name, "rebind"]).json(body)).await?.json()
    }

    /// Agrees to the hosts the connector declares now; the value stays.
    pub async fn renew_consent(&self, name: &str, body: &RenewConsent) -> Result<Answer<Binding>> {
        self.send(Call::new(Method::POST, &["bindings", name, "consent"]).json(body)).await?.json()
    }

    /// Chooses the binding that is used where several fit.
    pub async fn set_default_binding(&self, name: &str) -> Result<Answer<Binding>> {
        self.send(Call::new(Method::POST, &["bindings", name, "default"])).await?.json()
    }

    /// Revokes, and tells what became of it at the provider.
    pub async fn revoke_binding(&self, name: &str) -> Result<Answer<RevokedBinding>> {
        let call = Call::new(Method::DELETE, &["bindings", name]).query("report", "true");
        self.send(call).await?.json()
    }

    /// Begins a setup whose redirect the caller catches.
    pub async fn begin_oauth2(&self, body: &oauth2::Init) -> Result<Answer<oauth2::Begun>> {
        self.send(Call::new(Method::POST, &at(&["init"])).json(body)).await?.json()
    }

    pub async fn finish_oauth2(&self, body: &oauth2::Finish) -> Result<Answer<Binding>> {
        self.send(Call::new(Method::POST, &at(&["finish"])).json(body)).await?.json()
    }

    /// Begins a setup that is answered on another machine.
    pub async fn begin_device(&self, body: &oauth2::Wanted) -> Result<Answer<oauth2::DeviceBegun>> {
        self.send(Call::new(Method::POST, &at(&["device"])).json(body)).await?.json()
    }

    pub async fn poll_device(&self, session_id: Sensitive) -> Result<Answer<oauth2::Polled>> {
        let body = oauth2::Poll { session_id };
        self.send(Call::new(Method::POST, &at(&["device", "poll"])).json(&body)).await?.json()
    }
}

fn at<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    OAUTH2.into_iter().chain(rest.iter().copied()).collect()
}

//! Bindings.

use reqwest::Method;

use super::{Answer, Call, Client, Result};
use crate::bindings::{Binding, BindingFilter, BindingSetup, BindingSetupResult, Bindings, Rebind};

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

    pub async fn revoke_binding(&self, name: &str) -> Result<Answer<()>> {
        Ok(self.send(Call::new(Method::DELETE, &["bindings", name])).await?.nothing())
    }
}

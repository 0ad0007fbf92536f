//! The bindings' door: every method checks the caller's right, then asks the file or the provider.

mod agree;
mod bind;
mod defaults;
mod hosts;

use std::sync::Arc;

use aileron_contract::{
    Bindings, Context, Result, Scope, Secret,
    audit::{Actor, Event, EventKind},
    bindings::{
        Begin, BeginDevice, Begun, Binding, BindingFilter, Callback, Consent, DeviceBegun,
        DevicePoll, Finish, Finished, Landed, Revoked,
    },
    names::{BindingName, Fqn, HostPort},
};
use async_trait::async_trait;

use crate::{
    binding,
    keeper::{Content, Keeper},
    oauth::{Flows, declare_scopes},
};

/// Bindings as their contract promises them.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) flows: Flows,
}

#[async_trait]
impl Bindings for Door {
    async fn bind(&self, context: &Context, consent: Consent, value: Secret) -> Result<Binding> {
        context.require(Scope::BindingsWrite)?;
        bind::check(&consent.reach.form, &value)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { bind::bind(&keeper, &context, &consent, value).await }).await
    }

    async fn agree(&self, context: &Context, consent: Consent) -> Result<Binding> {
        context.require(Scope::BindingsWrite)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper.owned(async move { agree::agree(&keeper, &context, &consent).await }).await
    }

    async fn list(&self, context: &Context, filter: BindingFilter) -> Result<Vec<Binding>> {
        context.require(Scope::BindingsList)?;
        let view = self.keeper.view().await?;
        if matches!(view.content, Content::Missing) {
            return Ok(Vec::new());
        }
        let verified = view.verified();
        let records = binding::select(view.file()?.entries(), &filter);
        let listed = records.into_iter().map(|record| {
            let last_used_at = self.keeper.last_use(&record.binding.name);
            let last_used_at = last_used_at.or(record.binding.last_used_at);
            Binding { verified, last_used_at, ..record.binding }
        });
        Ok(listed.collect())
    }

    async fn declare_hosts(
        &self,
        context: &Context,
        connector: Fqn,
        hosts: Vec<HostPort>,
    ) -> Result<Vec<BindingName>> {
        context.require(Scope::PackagesInstall)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper
            .owned(async move { hosts::declare(&keeper, &context, &connector, &hosts).await })
            .await
    }

    async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun> {
        context.require(Scope::BindingsWrite)?;
        self.flows.begin(context, begin).await
    }

    async fn finish(&self, context: &Context, finish: Finish) -> Result<Finished> {
        context.require(Scope::BindingsWrite)?;
        self.flows.finish(finish).await
    }

    // Nobody can show a token here: `state` and the cookie are what the browser has.
    async fn callback(&self, _: &Context, callback: Callback) -> Result<Landed> {
        self.flows.callback(callback).await
    }

    async fn begin_device(&self, context: &Context, begin: BeginDevice) -> Result<DeviceBegun> {
        context.require(Scope::BindingsWrite)?;
        self.flows.begin_device(context, begin).await
    }

    async fn poll_device(&self, context: &Context, session: Secret) -> Result<DevicePoll> {
        context.require(Scope::BindingsWrite)?;
        self.flows.poll_device(session).await
    }

    async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked> {
        context.require(Scope::BindingsWrite)?;
        self.flows.revoke(context, name).await
    }

    async fn set_default(&self, context: &Context, name: BindingName) -> Result<Binding> {
        context.require(Scope::BindingsWrite)?;
        let (keeper, context) = (Arc::clone(&self.keeper), context.clone());
        self.keeper
            .owned(async move { defaults::set_default(&keeper, &context, &name).await })
            .await
    }

    async fn declare_scopes(
        &self,
        context: &Context,
        connector: Fqn,
        scopes: Vec<String>,
    ) -> Result<Vec<BindingName>> {
        context.require(Scope::PackagesInstall)?;
        let (store, context) = (self.flows.tokens.store.clone(), context.clone());
        self.keeper
            .owned(async move { declare_scopes(&store, &context, &connector, &scopes).await })
            .await
    }
}

pub(crate) fn binding_event(kind: EventKind, context: &Context, binding: &Binding) -> Event {
    Event::new(kind, Actor::of(context))
        .with("aileron.binding.name", binding.name.as_str())
        .with("aileron.connector.fqn", binding.connector.as_str())
        .with("aileron.capability.kind", binding.kind.text())
}

//! The contract's promises, kept: rights first, then values, then the provider, then the file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aileron_contract::{
    Bindings, Context, Error, Reason, Result, Scope, Secret,
    bindings::{
        Answer, Begin, BeginDevice, Begun, Callback, Caller, DeviceBegun, DevicePoll, Finish,
        Finished, Landed, Revoked,
    },
    names::{BindingName, Fqn},
    vault::Binding,
};
use async_trait::async_trait;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD, Engine as _};
use zeroize::Zeroizing;

use super::{
    answer,
    devices::{DeviceSetup, Devices, Said, Step},
    drift, places,
    provider::{For, Returned, authorize_url},
    setups::{Names, Plan, Setup, Setups, Way, hashed},
    store::named,
    tokens::Tokens,
};
use crate::{envelope, keeper::Keeper, vault::set_default};

/// Setups under way, and the tokens they become.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) tokens: Arc<Tokens>,
    setups: Mutex<Setups>,
    /// Shared with the tasks that ask about them: a caller that has gone misses nothing.
    devices: Arc<Mutex<Devices>>,
}

impl Door {
    pub(crate) fn new(tokens: Arc<Tokens>) -> Self {
        Self { tokens, setups: Mutex::default(), devices: Arc::default() }
    }

    fn keeper(&self) -> &Keeper {
        &self.tokens.store.0
    }

    fn setups(&self) -> MutexGuard<'_, Setups> {
        lock(&self.setups)
    }

    fn devices(&self) -> MutexGuard<'_, Devices> {
        lock(&self.devices)
    }

    /// Trades the code of a setup for a binding, to the end.
    async fn complete(&self, setup: Setup, code: Secret) -> Result<Binding> {
        let tokens = Arc::clone(&self.tokens);
        self.keeper().owned(async move { complete(&tokens, &setup, &code).await }).await
    }

    /// Without the keys a code could be traded and not kept: the setup goes on waiting.
    async fn unlocked(&self) -> Result<()> {
        self.keeper().view().await?.unlocked().map(drop)
    }
}

#[async_trait]
impl Bindings for Door {
    async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun> {
        context.require(Scope::BindingsWrite)?;
        let Begin { consent, client, purpose, caller } = begin;
        let (redirect_uri, return_to) = match caller {
            Caller::Cli { port } => (places::of_cli(port)?, None),
            Caller::Daemon { callback_url, return_to } => {
                (places::of_daemon(&callback_url)?, Some(places::return_to(&return_to)?))
            }
        };
        let consent = self.tokens.store.prepare(&consent, purpose).await?;
        let (session, state, verifier, cookie) = (fresh()?, fresh()?, fresh()?, fresh()?);
        let authorize_url = text(&state, |state| {
            text(&verifier, |verifier| {
                authorize_url(&client, &redirect_uri, state, verifier, purpose)
            })
        });
        let way = match return_to {
            None => Way::Cli,
            Some(return_to) => Way::Browser { return_to, cookie: hashed(&cookie) },
        };
        let browser_cookie = matches!(way, Way::Browser { .. }).then_some(cookie);
        let context = context.clone();
        let redirect = redirect_uri.to_string();
        let plan = Plan { context, consent, client, purpose };
        let setup = Setup { plan, redirect_uri, verifier, way };
        let names = Names { session: &session, state: &state };
        let expires_at = self.setups().hold(names, setup, self.tokens.store.now())?;
        let redirect_uri = redirect;
        Ok(Begun { session, authorize_url, redirect_uri, browser_cookie, expires_at })
    }

    async fn finish(&self, context: &Context, finish: Finish) -> Result<Finished> {
        context.require(Scope::BindingsWrite)?;
        let Finish { session, state, code, issuer } = finish;
        places::sized(&[&session, &state, &code])?;
        self.unlocked().await?;
        let names = Names { session: &session, state: &state };
        let setup = self.setups().finish(names, self.tokens.store.now())?;
        places::answered_by(&setup.plan.client, issuer.as_deref())?;
        let purpose = setup.plan.purpose;
        Ok(Finished { binding: self.complete(setup, code).await?, purpose })
    }

    // Nobody can show a token here: `state` and the cookie are what the browser has.
    async fn callback(&self, _: &Context, callback: Callback) -> Result<Landed> {
        let Callback { state, answer, cookie, issuer } = callback;
        places::sized(&[&state])?;
        if let Answer::Code(code) = &answer {
            places::sized(&[code])?;
            self.unlocked().await?;
        }
        let setup = self.setups().land(&state, cookie.as_ref(), self.tokens.store.now())?;
        places::answered_by(&setup.plan.client, issuer.as_deref())?;
        let return_to = match &setup.way {
            Way::Browser { return_to, cookie: _ } => return_to.clone(),
            Way::Cli => return Err(Error::internal("a command line's setup was handed out")),
        };
        match answer {
            Answer::Code(code) => {
                let binding = self.complete(setup, code).await?;
                Ok(Landed { return_to, binding })
            }
            Answer::Refused(error) => Err(refused(&error)),
        }
    }

    async fn begin_device(&self, context: &Context, begin: BeginDevice) -> Result<DeviceBegun> {
        context.require(Scope::BindingsWrite)?;
        let BeginDevice { consent, client, purpose } = begin;
        let url = client.device_authorization_url.clone().ok_or_else(|| {
            Error::new(
                Reason::DeviceUnsupported,
                "this provider has no device authorization: use a machine with a browser",
            )
        })?;
        let consent = self.tokens.store.prepare(&consent, purpose).await?;
        let name = named(&consent)?;
        let asker = For { binding: &name, hosts: &consent.reach.hosts };
        let answer = self.tokens.provider.device(asker, &client, &url).await;
        let answer = answer.map_err(|trouble| trouble.error())?;
        let shown = places::shown(&answer)?;
        let session = fresh()?;
        let device_code = Secret::from(answer.device_code().secret().clone());
        let context = context.clone();
        let plan = Plan { context, consent, client, purpose };
        let setup = DeviceSetup { plan, device_code };
        let pace = (answer.expires_in(), answer.interval());
        let now = self.tokens.store.now();
        let (expires_at, interval) = self.devices().hold(&session, setup, pace, now)?;
        let places::Shown { user_code, verification_uri, verification_uri_complete } = shown;
        Ok(DeviceBegun {
            session,
            user_code,
            verification_uri,
            verification_uri_complete,
            expires_at,
            interval,
        })
    }

    async fn poll_device(&self, context: &Context, session: Secret) -> Result<DevicePoll> {
        context.require(Scope::BindingsWrite)?;
        places::sized(&[&session])?;
        self.unlocked().await?;
        let setup = match self.devices().poll(&session, self.tokens.store.now())? {
            Step::Tell(poll) => return Ok(poll),
            Step::Ask(setup) => setup,
        };
        let (tokens, devices) = (Arc::clone(&self.tokens), Arc::clone(&self.devices));
        self.keeper()
            .owned(async move {
                let asked = ask(&tokens, &setup).await;
                let mut devices = lock(&devices);
                match asked {
                    Ok(said) => devices.said(&session, said, tokens.store.now()),
                    Err(error) => {
                        devices.fail(&session);
                        Err(error)
                    }
                }
            })
            .await
    }

    async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked> {
        context.require(Scope::BindingsWrite)?;
        let (tokens, context) = (Arc::clone(&self.tokens), context.clone());
        self.keeper().owned(async move { revoke(&tokens, &context, &name).await }).await
    }

    async fn set_default(&self, context: &Context, name: BindingName) -> Result<Binding> {
        context.require(Scope::BindingsWrite)?;
        let (store, context) = (self.tokens.store.clone(), context.clone());
        self.keeper().owned(async move { set_default(&store.0, &context, &name).await }).await
    }

    async fn declare_scopes(
        &self,
        context: &Context,
        connector: Fqn,
        scopes: Vec<String>,
    ) -> Result<Vec<BindingName>> {
        context.require(Scope::PackagesInstall)?;
        let (store, context) = (self.tokens.store.clone(), context.clone());
        self.keeper()
            .owned(async move { drift::declare(&store, &context, &connector, &scopes).await })
            .await
    }
}

async fn complete(tokens: &Tokens, setup: &Setup, code: &Secret) -> Result<Binding> {
    let Setup { plan, redirect_uri, verifier, way: _ } = setup;
    let name = named(&plan.consent)?;
    let asker = For { binding: &name, hosts: &plan.consent.reach.hosts };
    let (code, verifier) = (text(code, str::to_owned), text(verifier, str::to_owned));
    let back = Returned { code: &code, verifier: &verifier, redirect_uri };
    let answer = tokens.provider.exchange(asker, &plan.client, back).await;
    let answer = answer.map_err(|trouble| trouble.error())?;
    tokens.bind(&name, plan, &answer).await
}

async fn ask(tokens: &Tokens, setup: &DeviceSetup) -> Result<Said> {
    let DeviceSetup { plan, device_code } = setup;
    let name = named(&plan.consent)?;
    let asker = For { binding: &name, hosts: &plan.consent.reach.hosts };
    let device_code = text(device_code, str::to_owned);
    match tokens.provider.poll(asker, &plan.client, &device_code).await {
        Ok(answer) => Ok(Said::Bound(Box::new(tokens.bind(&name, plan, &answer).await?))),
        Err(trouble) => Ok(Said::No(trouble)),
    }
}

/// Gone here first: what happens at the provider must not decide that.
async fn revoke(tokens: &Tokens, context: &Context, name: &BindingName) -> Result<Revoked> {
    tokens.quiet(name).await;
    let kept = match tokens.store.read(name).await {
        Ok(kept) => kept,
        // What cannot be read can be removed all the same.
        Err(error) if error.reason() == Reason::VaultUnreadable => None,
        Err(error) => return Err(error),
    };
    tokens.store.remove(context, name).await?;
    tokens.forget(name);
    let Some(kept) = kept.filter(|kept| kept.grant.revocation_url().is_some()) else {
        return Ok(Revoked::Here);
    };
    let hosts = kept.record.binding.hosts.clone().unwrap_or_default();
    let asker = For { binding: name, hosts: &hosts };
    Ok(match tokens.provider.revoke(asker, &kept.grant).await {
        Ok(()) => Revoked::AtProvider,
        Err(trouble) => Revoked::NotAtProvider(format!(
            "{name} is gone here, but {trouble}: end the access in your account there"
        )),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refused(error: &str) -> Error {
    let code = answer::code(error).unwrap_or_else(|| "an error without a known code".to_owned());
    Error::new(
        Reason::ProviderError,
        format!("the provider sent you back without access ({code}): begin again"),
    )
    .with_details(serde_json::json!({ "error": answer::code(error) }))
}

/// 32 random bytes in base64url: an id, a state, a PKCE verifier or a cookie.
fn fresh() -> Result<Secret> {
    let bytes = Zeroizing::new(envelope::random::<32>()?);
    let mut text = String::with_capacity(43);
    URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
    Ok(Secret::from(text))
}

/// Secrets of this room are text.
fn text<T>(secret: &Secret, reader: impl FnOnce(&str) -> T) -> T {
    secret.expose(|bytes| reader(&String::from_utf8_lossy(bytes)))
}

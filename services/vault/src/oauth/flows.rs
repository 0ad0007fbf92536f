//! How a credential comes from its provider: values first, then the provider, then the file. The
//! caller's right has been checked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aileron_contract::{
    Context, Error, Reason, Result, Secret,
    bindings::{
        Answer, Begin, BeginDevice, Begun, Binding, Callback, Caller, DeviceBegun, DevicePoll,
        Finish, Finished, Landed, Revoked,
    },
    names::BindingName,
};

use super::{
    answer,
    devices::{DeviceSetup, Devices, Said, Step},
    places,
    provider::{For, Returned, authorize_url},
    setups::{Names, Plan, Setup, Setups, Way},
    store::named,
    tokens::Tokens,
};
use crate::{
    keeper::Keeper,
    passes::{fresh, hashed},
};

/// Setups under way, and the tokens they become.
#[derive(Debug)]
pub(crate) struct Flows {
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) waiting: Arc<Waiting>,
}

/// Setups that wait for a person. Shared with the tasks that ask about them: a caller that has
/// gone misses nothing.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    setups: Mutex<Setups>,
    devices: Mutex<Devices>,
}

impl Waiting {
    /// Forgets them all, with what they hold to finish with.
    pub(crate) fn end(&self) {
        *self.setups() = Setups::default();
        *self.devices() = Devices::default();
    }

    fn setups(&self) -> MutexGuard<'_, Setups> {
        self.setups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn devices(&self) -> MutexGuard<'_, Devices> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flows {
    /// A setup in a browser: where the person is sent, and what the answer has to bring back.
    pub(crate) async fn begin(&self, context: &Context, begin: Begin) -> Result<Begun> {
        let Begin { consent, client, purpose, caller } = begin;
        let (redirect_uri, return_to) = match caller {
            Caller::Cli { port } => (places::of_cli(port)?, None),
            Caller::Daemon { callback_url, return_to } => {
                (places::of_daemon(&callback_url)?, Some(places::return_to(&return_to)?))
            }
        };
        let consent = self.tokens.store.prepare(&consent, purpose).await?;
        let (session, state, verifier, cookie) = (fresh("")?, fresh("")?, fresh("")?, fresh("")?);
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
        let plan = Plan { context: context.clone(), consent, client, purpose };
        let setup = Setup { plan, redirect_uri: redirect_uri.clone(), verifier, way };
        let names = Names { session: &session, state: &state };
        let expires_at = self.waiting.setups().hold(names, setup, self.tokens.store.now())?;
        // A lock that came in between has not ended this one.
        self.unlocked().await?;
        let redirect_uri = redirect_uri.to_string();
        Ok(Begun { session, authorize_url, redirect_uri, browser_cookie, expires_at })
    }

    /// The answer that came to a command line.
    pub(crate) async fn finish(&self, finish: Finish) -> Result<Finished> {
        let Finish { session, state, code, issuer } = finish;
        places::sized(&[&session, &state, &code])?;
        self.unlocked().await?;
        let names = Names { session: &session, state: &state };
        let setup = self.waiting.setups().finish(names, self.tokens.store.now())?;
        places::answered_by(&setup.plan.client, issuer.as_deref())?;
        let purpose = setup.plan.purpose;
        Ok(Finished { binding: self.complete(setup, code).await?, purpose })
    }

    /// The answer that came to the daemon, in the browser that began the setup.
    pub(crate) async fn callback(&self, callback: Callback) -> Result<Landed> {
        let Callback { state, answer, cookie, issuer } = callback;
        places::sized(&[&state])?;
        if let Answer::Code(code) = &answer {
            places::sized(&[code])?;
            self.unlocked().await?;
        }
        let setup = self.waiting.setups().land(&state, cookie.as_ref(), self.tokens.store.now())?;
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

    /// A setup that a person answers at another machine.
    pub(crate) async fn begin_device(
        &self,
        context: &Context,
        begin: BeginDevice,
    ) -> Result<DeviceBegun> {
        let BeginDevice { consent, client, purpose } = begin;
        let url = client.device_authorization_url.clone().ok_or_else(|| {
            Error::new(
                Reason::DeviceUnsupported,
                "this provider has no device authorization: use a machine with a browser",
            )
        })?;
        let consent = self.tokens.store.prepare(&consent, purpose).await?;
        self.waiting.devices().room(self.tokens.store.now())?;
        let name = named(&consent)?;
        let asker = For { binding: &name, hosts: &consent.reach.hosts };
        let answer = self.tokens.provider.device(asker, &client, &url).await;
        let answer = answer.map_err(|trouble| trouble.error())?;
        let shown = places::shown(&answer)?;
        let session = fresh("")?;
        let device_code = Secret::from(answer.device_code().secret().clone());
        let context = context.clone();
        let plan = Plan { context, consent, client, purpose };
        let setup = DeviceSetup { plan, device_code };
        let pace = (answer.expires_in(), answer.interval());
        let now = self.tokens.store.now();
        let (expires_at, interval) = self.waiting.devices().hold(&session, setup, pace, now)?;
        self.unlocked().await?;
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

    /// What became of it. Asks the provider where its pace allows that.
    pub(crate) async fn poll_device(&self, session: Secret) -> Result<DevicePoll> {
        places::sized(&[&session])?;
        self.unlocked().await?;
        let setup = match self.waiting.devices().poll(&session, self.tokens.store.now())? {
            Step::Tell(poll) => return Ok(poll),
            Step::Ask(setup) => setup,
        };
        let (tokens, waiting) = (Arc::clone(&self.tokens), Arc::clone(&self.waiting));
        self.keeper()
            .owned(async move {
                let asked = ask(&tokens, &setup).await;
                let mut devices = waiting.devices();
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

    /// Removes the binding, and tells its provider.
    pub(crate) async fn revoke(&self, context: &Context, name: BindingName) -> Result<Revoked> {
        let (tokens, context) = (Arc::clone(&self.tokens), context.clone());
        self.keeper().owned(async move { revoke(&tokens, &context, &name).await }).await
    }

    fn keeper(&self) -> &Keeper {
        &self.tokens.store.0
    }

    /// Trades the code of a setup for a binding, to the end.
    async fn complete(&self, setup: Setup, code: Secret) -> Result<Binding> {
        let tokens = Arc::clone(&self.tokens);
        self.keeper().owned(async move { complete(&tokens, &setup, &code).await }).await
    }

    /// Without the keys a code could be traded and not kept.
    async fn unlocked(&self) -> Result<()> {
        self.keeper().view().await?.unlocked().map(drop)
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
            "{name} is gone here, but {}: end the access in your account there",
            trouble.of_revocation()
        )),
    })
}

fn refused(error: &str) -> Error {
    let code = answer::code(error).unwrap_or_else(|| "an error without a known code".to_owned());
    Error::new(
        Reason::ProviderError,
        format!("the provider sent you back without access ({code}): begin again"),
    )
    .with_details(serde_json::json!({ "error": answer::code(error) }))
}

/// Secrets of this room are text.
fn text<T>(secret: &Secret, reader: impl FnOnce(&str) -> T) -> T {
    secret.expose(|bytes| reader(&String::from_utf8_lossy(bytes)))
}

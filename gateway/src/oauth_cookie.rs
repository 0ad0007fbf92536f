//! The cookie that ties a setup at a provider to the browser that began it. It lets nobody in.

use aileron_contract::{Error, Result, Secret, limits, names::Sha256Hash};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Uri, header};

/// Where a provider sends the browser, and where alone the browser sends the cookie.
pub(crate) const CALLBACK: &str = "/v1/bindings/setup/oauth2/callback";

/// The cookie of one setup: a browser may have begun several, and each has a name of its own.
pub(crate) struct SetupCookie(String);

impl SetupCookie {
    /// Of the setup that the provider's answer belongs to.
    pub(crate) fn of_state(state: &Secret) -> Self {
        let hash = state.expose(|state| Sha256Hash::of(&[state]));
        let short: String = hash.hex().chars().take(16).collect();
        Self(format!("aileron_oauth_{short}"))
    }

    /// Of the setup whose browser is sent to this address.
    pub(crate) fn of_url(authorize_url: &str) -> Result<Self> {
        let uri: Uri = authorize_url.parse().map_err(Error::internal)?;
        let mut fields = uri.query().unwrap_or_default().split('&');
        let state = fields.find_map(|field| field.strip_prefix("state="));
        let state = state.ok_or_else(|| Error::internal("an authorization URL without a state"))?;
        Ok(Self::of_state(&Secret::from(state.to_owned())))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// What the browser brings; one that brings two has been tampered with.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<Secret> {
        let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut ours = values
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.0)
            .map(|(_, value)| value);
        let value = ours.next().filter(|value| !value.is_empty())?;
        ours.next().is_none().then(|| Secret::from(value.to_owned()))
    }

    /// Gives it to the browser that begins. One that comes back over TLS is sent over TLS only.
    pub(crate) fn give(
        &self,
        response: &mut Response,
        value: &Secret,
        redirect_uri: &str,
    ) -> Result<()> {
        let secure = redirect_uri.starts_with("https:");
        self.set(response, value, limits::OAUTH_SETUP_WALL.as_secs(), secure)
    }

    /// The setup is over, and so is its cookie.
    pub(crate) fn end(&self, response: &mut Response) -> Result<()> {
        self.set(response, &Secret::from(String::new()), 0, false)
    }

    fn set(&self, response: &mut Response, value: &Secret, life: u64, secure: bool) -> Result<()> {
        let name = self.name();
        let secure = if secure { "; Secure" } else { "" };
        let cookie = value.expose(|value| {
            // The vault makes it of letters and digits.
            let value = String::from_utf8_lossy(value);
            format!(
                "{name}={value}; Path={CALLBACK}; Max-Age={life}; HttpOnly; SameSite=Lax{secure}"
            )
        });
        let mut cookie = HeaderValue::from_str(&cookie).map_err(Error::internal)?;
        cookie.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(())
    }
}

//! Setups of bindings at their provider (OAuth 2.0).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Sensitive, bindings::Binding};

/// Body of `POST /v1/bindings/setup/oauth2/init`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2Init)]
pub struct Init {
    #[serde(flatten)]
    pub wanted: Wanted,
    #[serde(default)]
    pub caller: Caller,
    /// Where the browser goes in the end: `http` or `https` on `127.0.0.1`, `localhost` or
    /// `[::1]`. Needed with the caller `daemon`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// The binding that is wanted; the body of `POST /v1/bindings/setup/oauth2/device`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2Device)]
pub struct Wanted {
    pub connector_fqn: String,
    pub identity: String,
    /// Without it, named after the connector's repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(default)]
    pub purpose: Purpose,
    /// The hosts the person saw. When given they must be the ones the installed connector
    /// declares; when they changed meanwhile the call is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The same for the scopes the person saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OAuth2Purpose)]
pub enum Purpose {
    #[default]
    Setup,
    /// The binding exists, and keeps its day of creation and its account.
    Reauthorize,
}

/// Who catches the provider's redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OAuth2Caller)]
pub enum Caller {
    /// Whoever asks, on the port in `redirect_uri`.
    #[default]
    Cli,
    Daemon,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2Begun)]
pub struct Begun {
    #[schema(inline)]
    pub session_id: Sensitive,
    pub authorize_url: String,
    pub redirect_uri: String,
}

/// Body of `POST /v1/bindings/setup/oauth2/finish`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2Finish)]
pub struct Finish {
    #[schema(inline)]
    pub session_id: Sensitive,
    #[schema(inline)]
    pub code: Sensitive,
    #[schema(inline)]
    pub state: Sensitive,
    /// Who says to have answered (RFC 9207), where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// What the provider's redirect carries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Callback {
    #[param(inline)]
    pub code: Option<Sensitive>,
    #[param(inline)]
    pub state: Sensitive,
    /// Who says to have answered (RFC 9207).
    pub iss: Option<String>,
    pub error: Option<String>,
    /// Not read: it is the provider's text.
    pub error_description: Option<String>,
}

/// For the person, to be answered on any machine with a browser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2DeviceBegun)]
pub struct DeviceBegun {
    #[schema(inline)]
    pub session_id: Sensitive,
    pub user_code: String,
    pub verification_uri: String,
    /// The same with the code in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<String>,
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Seconds between two polls.
    pub interval: u64,
}

/// Body of `POST /v1/bindings/setup/oauth2/device/poll`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2DevicePoll)]
pub struct Poll {
    #[schema(inline)]
    pub session_id: Sensitive,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = OAuth2DevicePolled)]
pub struct Polled {
    pub status: PollStatus,
    /// Seconds until the next poll, while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u64>,
    /// Once done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OAuth2DeviceStatus)]
pub enum PollStatus {
    Pending,
    /// The provider wants to be asked less often.
    SlowDown,
    Done,
    Denied,
    Expired,
}

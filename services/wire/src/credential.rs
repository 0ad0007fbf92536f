//! What manifests declare about credentials, field by field: shared by several contracts.

use aileron_contract::{
    Result,
    credential::{
        CredentialNeed, Endpoint, Form, HeaderTemplate, Oauth2Client, QueryParameter, Signing,
        SigningWord, TokenTemplate,
    },
};
use aileron_proto::common::v1 as pb;

use crate::message::{Wire, messages, must_be_there, read, required};

messages! {
    CredentialNeed => pb::CredentialNeed { scope, form, oauth2 }

    Signing => pb::Signing { service, region, access_key_id }
}

impl Wire<pb::CredentialForm> for Form {
    fn into_wire(self) -> pb::CredentialForm {
        use pb::credential_form::Form as Message;
        let form = match self {
            Self::ApiKey(template) => Message::ApiKey(template.into_wire()),
            Self::Oauth2 => Message::Oauth2(pb::Bearer {}),
            Self::AwsSigv4(signing) => Message::AwsSigv4(signing.into_wire()),
            Self::Basic => Message::Basic(pb::UserAndPassword {}),
            Self::Header(template) => Message::Header(template.into_wire()),
            Self::Query(parameter) => Message::Query(parameter.into_wire()),
        };
        pb::CredentialForm { form: Some(form) }
    }

    fn from_wire(message: pb::CredentialForm, field: &'static str) -> Result<Self> {
        use pb::credential_form::Form as Message;
        let pb::CredentialForm { form } = message;
        Ok(match required(form, field)? {
            Message::ApiKey(template) => Self::ApiKey(read(template, field)?),
            Message::Oauth2(pb::Bearer {}) => Self::Oauth2,
            Message::AwsSigv4(signing) => Self::AwsSigv4(read(signing, field)?),
            Message::Basic(pb::UserAndPassword {}) => Self::Basic,
            Message::Header(template) => Self::Header(read(template, field)?),
            Message::Query(parameter) => Self::Query(read(parameter, field)?),
        })
    }
}

must_be_there!(Form => pb::CredentialForm);

/// Both kinds of templates are the same message: which one is meant, the form says.
macro_rules! templates {
    ($($name:ident),+) => {$(
        impl Wire<pb::HeaderTemplate> for $name {
            fn into_wire(self) -> pb::HeaderTemplate {
                let (header, format) = (self.header().to_owned(), self.format().to_owned());
                pb::HeaderTemplate { header, format }
            }

            fn from_wire(template: pb::HeaderTemplate, _field: &'static str) -> Result<Self> {
                let pb::HeaderTemplate { header, format } = template;
                Self::new(&header, &format)
            }
        }
    )+};
}

templates! { HeaderTemplate, TokenTemplate }

/// Types that travel as their text, which their own grammar checks on arrival.
macro_rules! texts {
    ($($name:ident),+) => {$(
        impl Wire<String> for $name {
            fn into_wire(self) -> String {
                self.to_string()
            }

            fn from_wire(text: String, _field: &'static str) -> Result<Self> {
                text.parse()
            }
        }
    )+};
}

texts! { Endpoint, QueryParameter, SigningWord }

must_be_there!(Oauth2Client => pb::Oauth2Client);

impl Wire<pb::Oauth2Client> for Oauth2Client {
    fn into_wire(self) -> pb::Oauth2Client {
        pb::Oauth2Client {
            client_id: self.client_id().to_owned(),
            client_secret: self.client_secret().map(str::to_owned),
            scopes: self.scopes().to_vec(),
            authorize_url: self.authorize_url.into_wire(),
            token_url: self.token_url.into_wire(),
            device_authorization_url: self.device_authorization_url.into_wire(),
            revocation_url: self.revocation_url.into_wire(),
        }
    }

    fn from_wire(client: pb::Oauth2Client, _field: &'static str) -> Result<Self> {
        let pb::Oauth2Client {
            authorize_url,
            token_url,
            device_authorization_url,
            revocation_url,
            client_id,
            client_secret,
            scopes,
        } = client;
        let authorize_url = read(authorize_url, "Oauth2Client.authorize_url")?;
        let token_url = read(token_url, "Oauth2Client.token_url")?;
        let mut client = Self::new(authorize_url, token_url, &client_id, scopes)?;
        client.device_authorization_url =
            read(device_authorization_url, "Oauth2Client.device_authorization_url")?;
        client.revocation_url = read(revocation_url, "Oauth2Client.revocation_url")?;
        Ok(match client_secret {
            Some(secret) => client.with_secret(&secret),
            None => client,
        })
    }
}

//! Signs a request (AWS Signature Version 4). The computation is the AWS project's own; here is
//! what it is asked to sign: the scope, the headers, and a path and query that mean the same to
//! whoever checks the signature.

use aileron_contract::{Timestamp, credential::SigningWord, names::HostPort};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode,
    },
    sign::v4,
};
use http::{HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::{network::Draft, problem::Problem};

mod key;
mod scope;
pub(crate) use key::SigningKey;
pub(crate) use scope::region_of;

/// The headers a signature writes.
pub(crate) static HEADERS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-content-sha256"),
    HeaderName::from_static("x-amz-security-token"),
];

/// What the binding and the manifest say about signatures.
pub(crate) struct Inputs<'a> {
    pub(crate) access_key_id: Option<&'a SigningWord>,
    /// Counts where the host names no region and service.
    pub(crate) region: Option<&'a SigningWord>,
    /// Counts where the host names no region and service.
    pub(crate) service: Option<&'a SigningWord>,
}

/// Signs the request as it is and writes the signature into its headers. Path and query are
/// written anew where one request could be understood in two ways.
pub(crate) fn sign(
    key: &SigningKey,
    inputs: &Inputs<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Result<(), Problem> {
    let Complete { access_key_id, region, service } = complete(inputs, draft.target.host())?;
    let simple = is_simple(&service);
    draft.target = draft.target.signable(simple)?;
    for name in &HEADERS {
        draft.headers.remove(name);
    }
    let authority = draft.target.authority().to_owned();
    let signed = {
        let unsignable = || Problem::Malformed("a header cannot be signed".to_owned());
        let headers = draft.headers.iter().map(|(name, value)| {
            let value = std::str::from_utf8(value.as_bytes()).map_err(|_| unsignable())?;
            Ok((name.as_str(), value))
        });
        let headers = headers.collect::<Result<Vec<_>, Problem>>()?;
        let headers = headers.into_iter().chain([(header::HOST.as_str(), authority.as_str())]);
        let body = SignableBody::Precomputed(hex::encode(Sha256::digest(&draft.body)));
        let uri = draft.target.as_str();
        let request = SignableRequest::new(draft.method.as_str(), uri, headers, body)
            .map_err(|_| unsignable())?;
        let identity = credentials(&access_key_id, key).into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(&service)
            .time(now.into())
            .settings(settings(simple))
            .build()
            .map_err(|_| unsignable())?
            .into();
        let output = aws_sigv4::http_request::sign(request, &parameters);
        output.map_err(|_| unsignable())?.into_parts().0.into_parts().0
    };
    for signed in signed {
        let mut value = HeaderValue::from_str(signed.value())
            .map_err(|_| Problem::Malformed("a signature is no header".to_owned()))?;
        value.set_sensitive(signed.sensitive());
        draft.headers.insert(HeaderName::from_static(signed.name()), value);
    }
    Ok(())
}

struct Complete {
    access_key_id: String,
    region: String,
    service: String,
}

/// The host says where a request is heard; what it does not say comes from binding and manifest.
fn complete(inputs: &Inputs<'_>, host: &HostPort) -> Result<Complete, Problem> {
    let of_host = scope::of_host(host);
    let text = |word: &SigningWord| word.as_str().to_owned();
    let (service, region) = match of_host {
        Some((service, region)) => (Some(service.to_owned()), Some(region.to_owned())),
        None => (inputs.service.map(text), inputs.region.map(text)),
    };
    match (inputs.access_key_id.map(text), region, service) {
        (Some(access_key_id), Some(region), Some(service)) => {
            Ok(Complete { access_key_id, region, service })
        }
        (access_key_id, region, service) => {
            let missing = [
                ("an access key id", access_key_id.is_none()),
                ("a region", region.is_none()),
                ("a service", service.is_none()),
            ];
            let missing = missing.iter().filter(|(_, missing)| *missing).map(|(what, _)| *what);
            Err(Problem::SigningIncomplete { host: host.clone(), missing: missing.collect() })
        }
    }
}

/// S3 reads a path as it is, escapes decoded once. Every other service takes out `.`, `..` and
/// empty segments, and escapes what it received once more.
fn is_simple(service: &str) -> bool {
    matches!(service, "s3" | "s3express" | "s3-object-lambda" | "s3-outposts")
}

fn settings(simple: bool) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if simple {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

fn credentials(access_key_id: &str, key: &SigningKey) -> Credentials {
    let token = key.session_token().map(str::to_owned);
    Credentials::new(access_key_id, key.secret_access_key(), token, None, "aileron")
}

#[cfg(test)]
mod tests;

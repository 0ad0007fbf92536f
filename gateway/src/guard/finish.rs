//! The outermost layer: names the request, writes refusals out, sets what every answer carries.

use aileron_api::REQUEST_ID_HEADER;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};

use crate::answer::Refusal;

/// The name of a request, in its answer and in the log.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Headers of every answer unless it sets its own.
const DEFAULTS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
];

pub(crate) async fn finish(mut request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(generated);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let headers = std::mem::take(response.headers_mut());
        response = refusal.render(&id);
        for (name, value) in &headers {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The caller's own name for the request: 1 to 128 letters, digits and `._-`, once.
fn given(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(REQUEST_ID_HEADER).iter();
    let id = values.next()?.to_str().ok()?;
    let sound = (1..=128).contains(&id.len())
        && id.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
        && values.next().is_none();
    sound.then(|| id.to_owned())
}

/// 8 random bytes as 16 hexadecimal digits, as published.
fn generated() -> String {
    let bits = uuid::Uuid::new_v4().into_bytes();
    hex::encode(bits.get(8..).unwrap_or(&bits))
}

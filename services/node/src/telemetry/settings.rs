//! What the operator asked for: the published variables, and the standard ones of OTLP.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use aileron_contract::limits;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::environment::{Environment, OTEL_ENABLED, OTEL_EXPORTER, OTEL_SERVICE_NAME, TRACES_DIR};

/// Where the OpenTelemetry specification puts a collector that nobody named.
const COLLECTOR: &str = "http://localhost:4318";

/// What a request is made of already.
const OURS: [HeaderName; 5] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
];

/// How spans are exported.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) service: String,
    pub(super) target: Target,
}

#[derive(Debug)]
pub(super) enum Target {
    /// Lines on standard error.
    Lines,
    /// A file for each day in this folder.
    Files(PathBuf),
    Collector(Box<Collector>),
}

/// A collector that speaks OTLP over HTTP.
pub(super) struct Collector {
    pub(super) url: Url,
    /// Often a credential: marked as such, and nothing shows them.
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) json: bool,
    pub(super) gzip: bool,
    /// A PEM file of authorities, instead of the system's.
    pub(super) authority: Option<PathBuf>,
    /// PEM files of this process's own certificate and its key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

impl Settings {
    /// None when nothing is to be exported; every problem when it cannot be as asked for.
    pub(crate) fn read(environment: &Environment) -> Result<Option<Self>, Vec<String>> {
        let mut problems = Vec::new();
        let enabled = environment.get(OTEL_ENABLED).unwrap_or_default();
        // As Go reads a boolean, because published programs are written in it.
        match enabled {
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => return Ok(None),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => {}
            _ => problems.push(format!("{OTEL_ENABLED}: say true or false")),
        }
        let service = match environment.get(OTEL_SERVICE_NAME).unwrap_or_default() {
            "" => "aileron",
            name => name,
        };
        if service.len() > limits::TRACE_TEXT || service.chars().any(char::is_control) {
            problems.push(format!("{OTEL_SERVICE_NAME}: not a name"));
        }
        let target = match environment.get(OTEL_EXPORTER).unwrap_or_default() {
            "noop" => None,
            "stdout" => Some(Target::Lines),
            "file" => files(environment),
            "otlp" => Collector::read(environment, &mut problems).map(Target::Collector),
            _ => {
                problems.push(format!("{OTEL_EXPORTER}: say otlp, file, stdout or noop"));
                None
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(target.map(|target| Self { service: service.to_owned(), target }))
    }
}

/// `<folder>/traces`; a folder that is named and empty turns export off, as published.
fn files(environment: &Environment) -> Option<Target> {
    let folder = match environment.get(TRACES_DIR) {
        Some("") => return None,
        Some(folder) => PathBuf::from(folder),
        None => environment.home(),
    };
    Some(Target::Files(folder.join("traces")))
}

impl Collector {
    fn read(environment: &Environment, problems: &mut Vec<String>) -> Option<Box<Self>> {
        let found = problems.len();
        let url = address(environment, problems);
        let headers = setting(environment, "HEADERS")
            .map(|(name, raw)| headers(raw).map_err(|why| problems.push(format!("{name}: {why}"))));
        let headers = headers.and_then(Result::ok).unwrap_or_default();
        let mut choice = |of: &str, words: [&str; 2]| {
            let (name, raw) = setting(environment, of)?;
            if !words.contains(&raw) {
                problems.push(format!("{name}: say {} or {}", words[0], words[1]));
            }
            Some(raw == words[1])
        };
        let json = choice("PROTOCOL", ["http/protobuf", "http/json"]).unwrap_or_default();
        let gzip = choice("COMPRESSION", ["none", "gzip"]).unwrap_or_default();
        let timeout = timeout(environment, problems);
        let path = |of| setting(environment, of).map(|(_, raw)| PathBuf::from(raw));
        let identity = match (path("CLIENT_CERTIFICATE"), path("CLIENT_KEY")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                problems.push(format!("{PREFIX}CLIENT_CERTIFICATE and {PREFIX}CLIENT_KEY: both"));
                None
            }
        };
        let url = url?;
        if !headers.is_empty() && url.scheme() == "http" && !on_this_machine(&url) {
            problems.push(format!(
                "{PREFIX}HEADERS: they would travel in clear to {}: use https://",
                url.host_str().unwrap_or_default()
            ));
        }
        let authority = path("CERTIFICATE");
        (problems.len() == found)
            .then(|| Box::new(Self { url, headers, timeout, json, gzip, authority, identity }))
    }

    /// The collector without what may be a credential in its address.
    pub(super) fn shown(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("url", &self.shown()).finish_non_exhaustive()
    }
}

const PREFIX: &str = "OTEL_EXPORTER_OTLP_";

/// A variable of OTLP: what is said of traces comes before what is said of everything. An empty
/// one is not set, as the specification has it.
fn setting<'e>(environment: &'e Environment, of: &str) -> Option<(String, &'e str)> {
    [format!("{PREFIX}TRACES_{of}"), format!("{PREFIX}{of}")].into_iter().find_map(|name| {
        let value = environment.get(&name).filter(|value| !value.is_empty())?;
        Some((name, value))
    })
}

/// The whole address for traces; what is named for everything is the start of it.
fn address(environment: &Environment, problems: &mut Vec<String>) -> Option<Url> {
    let (name, raw) = setting(environment, "ENDPOINT")
        .unwrap_or_else(|| (format!("{PREFIX}ENDPOINT"), COLLECTOR));
    let mut refused = |why: &str| {
        problems.push(format!("{name}: {why}"));
        None
    };
    let Ok(mut url) = Url::parse(raw) else { return refused("not an address") };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return refused("use http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("no user and no password in an address: OTEL_EXPORTER_OTLP_HEADERS");
    }
    url.set_fragment(None);
    if !name.contains("TRACES") {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Some(url)
}

/// `key=value` after commas, values percent-encoded.
fn headers(raw: &str) -> Result<HeaderMap, &'static str> {
    if raw.len() > limits::TRACE_HEADERS {
        return Err("too long");
    }
    let mut headers = HeaderMap::new();
    for pair in raw.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("write key=value, after commas")?;
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        let name = name.map_err(|_| "a name is not one of a header")?;
        if OURS.contains(&name) {
            return Err("a header that a request has anyway cannot be set");
        }
        let value = percent_decode_str(value.trim()).collect::<Vec<_>>();
        let value = HeaderValue::from_bytes(&value);
        let mut value = value.map_err(|_| "a value cannot be that of a header")?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn timeout(environment: &Environment, problems: &mut Vec<String>) -> Duration {
    let Some((name, raw)) = setting(environment, "TIMEOUT") else { return limits::TRACE_WALL };
    let read = raw.parse().map(Duration::from_millis).ok();
    read.filter(|it| !it.is_zero() && *it <= limits::TRACE_WALL_MAX).unwrap_or_else(|| {
        let most = limits::TRACE_WALL_MAX.as_millis();
        problems.push(format!("{name}: say milliseconds, 1 to {most}"));
        limits::TRACE_WALL
    })
}

fn on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, Vec<String>> {
        let home = ("AILERON_HOME", "/home");
        let all = variables.iter().chain([&home]);
        Settings::read(&Environment::new(
            all.map(|(name, value)| (OsString::from(name), OsString::from(value))),
        ))
    }

    fn collector(further: &[(&str, &str)]) -> Result<Box<Collector>, Vec<String>> {
        let on = [("AILERON_OTEL_ENABLED", "true"), ("AILERON_OTEL_EXPORTER", "otlp")];
        match read(&[&on, further].concat())?.map(|settings| settings.target) {
            Some(Target::Collector(collector)) => Ok(collector),
            other => panic!("{other:?}"),
        }
    }

    fn target(enabled: &str, exporter: &str, folder: Option<&str>) -> Option<Target> {
        let mut all = vec![("AILERON_OTEL_ENABLED", enabled), ("AILERON_OTEL_EXPORTER", exporter)];
        all.extend(folder.map(|folder| ("AILERON_TRACES_DIR", folder)));
        read(&all).unwrap().map(|settings| settings.target)
    }

    #[test]
    fn nothing_is_exported_unless_it_is_asked_for() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("AILERON_OTEL_EXPORTER", "otlp")]).unwrap().is_none());
        for off in ["false", "0", ""] {
            assert!(target(off, "otlp", None).is_none(), "{off}");
        }
        assert!(target("true", "noop", None).is_none());
        assert!(target("true", "file", Some("")).is_none());
    }

    #[test]
    fn each_published_exporter_is_read() {
        assert!(matches!(target("1", "stdout", None), Some(Target::Lines)));
        let folder = |named| match target("true", "file", named) {
            Some(Target::Files(folder)) => folder,
            other => panic!("{other:?}"),
        };
        assert_eq!(folder(None), PathBuf::from("/home/traces"));
        assert_eq!(folder(Some("/tmp/x")), PathBuf::from("/tmp/x/traces"));
        let default = collector(&[]).unwrap();
        assert_eq!(default.url.as_str(), "http://localhost:4318/v1/traces");
        assert!(!default.json && !default.gzip && default.headers.is_empty());
        assert_eq!(default.timeout, limits::TRACE_WALL);
    }

    #[test]
    fn what_is_said_of_traces_comes_first() {
        let read = collector(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.example/otlp/"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20s%3D, x-tenant=two"),
        ])
        .unwrap();
        assert_eq!(read.url.as_str(), "https://a.example/otlp/v1/traces");
        assert!(read.json && read.gzip && !read.headers.contains_key("a"));
        assert_eq!(read.timeout, Duration::from_millis(2_500));
        assert_eq!(read.headers["authorization"], "Bearer s=");
        assert_eq!(read.headers["x-tenant"], "two");
        let own = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/as/it/is")];
        assert_eq!(collector(&own).unwrap().url.as_str(), "http://127.0.0.1:1/as/it/is");
    }

    #[test]
    fn every_problem_is_named_and_no_value_is_shown() {
        let all = [
            ("AILERON_OTEL_ENABLED", "yes-canary"),
            ("AILERON_OTEL_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:canary@a.example"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc-canary"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization canary"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "canary"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/canary"),
        ];
        let problems = read(&all).unwrap_err();
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(!problems.concat().contains("canary"), "{problems:?}");
        for exporter in ["", "jaeger"] {
            let all = [("AILERON_OTEL_ENABLED", "true"), ("AILERON_OTEL_EXPORTER", exporter)];
            assert_eq!(read(&all).unwrap_err().len(), 1, "{exporter}");
        }
    }

    #[test]
    fn credentials_travel_in_clear_on_this_machine_only() {
        let secret = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary");
        let at = |url| ("OTEL_EXPORTER_OTLP_ENDPOINT", url);
        let refused = collector(&[secret, at("http://collector:4318")]).unwrap_err();
        assert!(refused.concat().contains("https://") && !refused.concat().contains("canary"));
        for url in ["http://127.0.0.1:1", "http://[::1]:1", "https://collector"] {
            let read = collector(&[secret, at(url)]).unwrap();
            assert!(!format!("{read:?}{:?}", read.headers).contains("canary"), "{url}");
        }
        assert!(collector(&[at("http://collector:4318")]).is_ok());
    }

    #[test]
    fn headers_that_frame_a_request_are_refused() {
        for raw in ["host=x", "Content-Length=1", "a", "a b=1", "a=%0d%0ab", "é=1"] {
            assert!(headers(raw).is_err(), "{raw}");
        }
        assert!(headers(&"a".repeat(limits::TRACE_HEADERS + 1)).is_err());
        assert_eq!(headers(" a=1 , b=x=y,, ").unwrap().len(), 2);
    }
}

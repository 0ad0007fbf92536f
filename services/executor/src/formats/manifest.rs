//! Connector manifests (`manifest.toml`): what a connector is and what it may reach.

use std::time::Duration;

use aileron_contract::{
    credential::CredentialNeed,
    limits,
    names::{HostPort, PackageRef, Sha256Hash},
};

pub use super::spawn::{Operation, Program, Spawn};
use super::{
    Problem, spawn,
    table::{Document, Spot},
};

mod bounds;
mod credential;
mod raw;

/// A manifest that keeps every rule of the format.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub package: PackageRef,
    /// For display only; who signed is what counts.
    pub publisher: Option<String>,
    /// As declared; it says nothing about the bytes at hand.
    pub provenance: Option<Sha256Hash>,
    pub origin: Origin,
    /// The connector is the runtime's own forwarder to a local program.
    pub forwarder: bool,
    /// None when the manifest does not say, which the format reads as idempotent.
    pub idempotency: Option<Idempotency>,
    pub hosts: Vec<HostPort>,
    pub credential: Option<CredentialNeed>,
    pub spawn: Option<Spawn>,
    pub limits: CallLimits,
    /// Informational.
    pub imports: Vec<String>,
    /// Informational.
    pub intents: Vec<String>,
}

impl Manifest {
    /// What a person binds and consents to.
    pub fn need(&self) -> Option<&CredentialNeed> {
        self.credential.as_ref()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Published,
    /// Made on this machine, for a program of this machine.
    Local,
}

/// What `[connector.idempotency]` says about every operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    Idempotent,
    NotIdempotent,
}

/// What one call of the connector may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Bytes.
    pub memory: u64,
    pub wall: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { memory: limits::GUEST_MEMORY, wall: limits::GUEST_WALL }
    }
}

/// Reads a manifest. `file` names it in problems.
pub fn parse(bytes: &[u8], file: &str) -> Result<Manifest, Problem> {
    let text = text(bytes, file)?;
    let document = Document::new("manifest", file, text, 1);
    let raw = raw::Manifest::read(document.root()?)?;
    document.closed()?;
    bounds::check(&document, &raw)?;
    let name = document.required_named(raw.name, "connector.name", raw.line)?;
    let version = document.required_named(raw.version, "connector.version", raw.line)?;
    let provenance = raw.provenance.map(|hash| document.named(&hash, "connector.provenance_hash"));
    let provenance = provenance.transpose()?;
    let origin = origin(&document, raw.origin)?;
    let forwarder = forwarder(&document, raw.forwarder, raw.spawn.is_some())?;
    let idempotency = raw.idempotency.map(|table| idempotency(&document, table)).transpose()?;
    let hosts = hosts(&document, raw.hosts)?;
    let credential = raw.credential.map(|table| credential::check(&document, table)).transpose()?;
    let spawn = raw.spawn.map(|table| spawn::check(&document, table)).transpose()?;
    let limits = raw.limits.map(|table| call_limits(&document, &table)).transpose()?;
    Ok(Manifest {
        package: PackageRef { fqn: name, version },
        publisher: raw.publisher.map(|text| text.value),
        provenance,
        origin,
        forwarder,
        idempotency,
        hosts,
        credential,
        spawn,
        limits: limits.unwrap_or_default(),
        imports: raw.imports.map(|list| list.value).unwrap_or_default(),
        intents: raw.intents.map(|list| list.value).unwrap_or_default(),
    })
}

fn text<'b>(bytes: &'b [u8], file: &str) -> Result<&'b str, Problem> {
    use super::ProblemKind::Parse;
    if bytes.len() > limits::MANIFEST {
        let message = format!("the manifest is longer than {} bytes", limits::MANIFEST);
        return Err(Problem::new(Parse, message, file, 0));
    }
    std::str::from_utf8(bytes)
        .map_err(|_| Problem::new(Parse, "the manifest is not UTF-8", file, 0))
}

fn origin(document: &Document<'_>, raw: Option<Spot<String>>) -> Result<Origin, Problem> {
    match raw {
        None => Ok(Origin::Published),
        Some(text) if text.value.is_empty() => Ok(Origin::Published),
        Some(text) if text.value == "local" => Ok(Origin::Local),
        Some(text) => {
            let rule = "connector.origin must be \"local\" or left out";
            Err(document.invalid(rule, text.line))
        }
    }
}

fn forwarder(
    document: &Document<'_>,
    raw: Option<Spot<String>>,
    spawns: bool,
) -> Result<bool, Problem> {
    match raw {
        None => Ok(false),
        Some(text) if text.value.is_empty() => Ok(false),
        Some(text) if text.value != "builtin://spawn-forwarder" => {
            let rule = "connector.forwarder must be \"builtin://spawn-forwarder\" or left out";
            Err(document.invalid(rule, text.line))
        }
        Some(text) if !spawns => {
            let rule = "connector.forwarder needs a [capabilities.spawn] table";
            Err(document.invalid(rule, text.line))
        }
        Some(_) => Ok(true),
    }
}

fn idempotency(document: &Document<'_>, raw: raw::Idempotency) -> Result<Idempotency, Problem> {
    let default = document.required(raw.default, "connector.idempotency.default", raw.line)?;
    match default.value.as_str() {
        "idempotent" => Ok(Idempotency::Idempotent),
        "not_idempotent" => Ok(Idempotency::NotIdempotent),
        _ => {
            let rule = "connector.idempotency.default must be \"idempotent\" or \"not_idempotent\"";
            Err(document.invalid(rule, default.line))
        }
    }
}

fn hosts(
    document: &Document<'_>,
    raw: Option<Spot<Vec<String>>>,
) -> Result<Vec<HostPort>, Problem> {
    let Some(list) = raw else { return Ok(Vec::new()) };
    let mut hosts = Vec::with_capacity(list.value.len());
    for text in list.value {
        let spot = Spot { value: text, line: list.line };
        hosts.push(document.named(&spot, "capabilities.network.hosts")?);
    }
    Ok(hosts)
}

fn call_limits(document: &Document<'_>, raw: &raw::Limits) -> Result<CallLimits, Problem> {
    const MIB: u64 = 1024 * 1024;
    let mut granted = CallLimits::default();
    if let Some(mib) = &raw.memory_mib {
        granted.memory = u64::try_from(mib.value)
            .ok()
            .and_then(|mib| mib.checked_mul(MIB))
            .filter(|bytes| (1..=limits::GUEST_MEMORY_MAX).contains(bytes))
            .ok_or_else(|| {
                let most = limits::GUEST_MEMORY_MAX / MIB;
                let rule = format!("capabilities.limits.memory_mib must be 1 to {most}");
                document.invalid(rule, mib.line)
            })?;
    }
    if let Some(seconds) = &raw.wall_seconds {
        granted.wall = u64::try_from(seconds.value)
            .ok()
            .map(Duration::from_secs)
            .filter(|wall| !wall.is_zero() && *wall <= limits::GUEST_WALL_MAX)
            .ok_or_else(|| {
                let most = limits::GUEST_WALL_MAX.as_secs();
                let rule = format!("capabilities.limits.wall_seconds must be 1 to {most}");
                document.invalid(rule, seconds.line)
            })?;
    }
    Ok(granted)
}

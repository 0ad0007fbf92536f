//! `[capabilities.spawn]`: which programs a connector may start, and how.

use aileron_contract::names::Sha256Hash;

use super::{
    Problem,
    table::{Document, Spot, Table},
};

/// Programs and the exact shapes of their command lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spawn {
    /// One or more.
    pub programs: Vec<Program>,
    /// One or more.
    pub operations: Vec<Operation>,
    pub env_passthrough: Vec<String>,
    /// Of `env_passthrough`, those that carry the credential.
    pub credential_env_keys: Vec<String>,
    pub fs_read: Vec<String>,
    pub fs_write: Vec<String>,
    pub cwd: Option<String>,
    /// Bytes.
    pub max_stdout: u64,
    /// Bytes.
    pub max_stderr: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Absolute, or below `~`.
    pub path: String,
    pub hash: Option<Sha256Hash>,
}

/// One named command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub name: String,
    /// Tokens with `{name}` placeholders.
    pub argv: String,
    pub description: Option<String>,
}

const STDOUT: u64 = 1024 * 1024;
const STDERR: u64 = 256 * 1024;
const OUTPUT_MAX: u64 = 64 * 1024 * 1024;

type Text = Option<Spot<String>>;
type Texts = Option<Spot<Vec<String>>>;

/// The table's keys, before any rule but their types.
pub(super) struct Raw {
    line: u32,
    programs: Vec<(u32, Text, Text)>,
    operations: Vec<(String, u32, Text, Text)>,
    env_passthrough: Texts,
    credential_env_keys: Texts,
    fs_read: Texts,
    fs_write: Texts,
    cwd: Text,
    max_stdout: Option<Spot<i64>>,
    max_stderr: Option<Spot<i64>>,
}

impl Raw {
    pub(super) fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        let programs = table
            .tables("programs")?
            .into_iter()
            .map(|mut program| Ok((program.line, program.text("path")?, program.text("hash")?)));
        let programs = programs.collect::<Result<_, Problem>>()?;
        let operations = table.named_tables("operations")?.into_iter().map(|(name, mut each)| {
            Ok((name, each.line, each.text("argv")?, each.text("description")?))
        });
        let operations = operations.collect::<Result<_, Problem>>()?;
        let (mut max_stdout, mut max_stderr) = (None, None);
        if let Some(mut limits) = table.table("limits")? {
            max_stdout = limits.integer("max_stdout_bytes")?;
            max_stderr = limits.integer("max_stderr_bytes")?;
        }
        Ok(Self {
            line: table.line,
            programs,
            operations,
            env_passthrough: table.texts("env_passthrough")?,
            credential_env_keys: table.texts("credential_env_keys")?,
            fs_read: table.texts("fs_read")?,
            fs_write: table.texts("fs_write")?,
            cwd: table.text("cwd")?,
            max_stdout,
            max_stderr,
        })
    }
}

pub(super) fn check(document: &Document<'_>, raw: Raw) -> Result<Spawn, Problem> {
    let line = raw.line;
    if raw.programs.is_empty() {
        return Err(document.invalid("capabilities.spawn.programs needs at least one", line));
    }
    if raw.operations.is_empty() {
        return Err(document.invalid("capabilities.spawn.operations needs at least one", line));
    }
    let programs = raw.programs.into_iter().map(|(line, path, hash)| {
        let path = document.required(path, "capabilities.spawn.programs.path", line)?;
        let hash = hash.map(|hash| document.named(&hash, "capabilities.spawn.programs.hash"));
        anchored(document, "programs.path", &path.value, path.line)?;
        Ok(Program { path: path.value, hash: hash.transpose()? })
    });
    let programs = programs.collect::<Result<_, Problem>>()?;
    let operations = raw.operations.into_iter().map(|(name, line, argv, description)| {
        let argv = document.required(argv, "capabilities.spawn.operations.argv", line)?;
        if !operation_name(&name) || argv.is_blank() {
            let rule = format!(
                "capabilities.spawn.operations.{name:?} needs a name of a-z, 0-9, '_', '-' that \
                 begins with a letter, and an argv that is not blank"
            );
            return Err(document.invalid(rule, line));
        }
        Ok(Operation { name, argv: argv.value, description: description.map(|text| text.value) })
    });
    let operations = operations.collect::<Result<_, Problem>>()?;
    let env_passthrough = environment(document, raw.env_passthrough)?;
    let credential_env_keys = environment(document, raw.credential_env_keys)?;
    if let Some(key) = credential_env_keys.iter().find(|key| !env_passthrough.contains(key)) {
        let rule = format!("credential_env_keys names {key}, which env_passthrough does not");
        return Err(document.invalid(rule, line));
    }
    if let Some(cwd) = &raw.cwd {
        anchored(document, "cwd", &cwd.value, cwd.line)?;
    }
    Ok(Spawn {
        programs,
        operations,
        env_passthrough,
        credential_env_keys,
        fs_read: paths(document, "fs_read", raw.fs_read)?,
        fs_write: paths(document, "fs_write", raw.fs_write)?,
        cwd: raw.cwd.map(|cwd| cwd.value),
        max_stdout: output(document, raw.max_stdout.as_ref(), STDOUT)?,
        max_stderr: output(document, raw.max_stderr.as_ref(), STDERR)?,
    })
}

fn operation_name(name: &str) -> bool {
    let rest = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-';
    name.bytes().next().is_some_and(|c| c.is_ascii_lowercase()) && name.bytes().all(rest)
}

fn environment(document: &Document<'_>, keys: Texts) -> Result<Vec<String>, Problem> {
    let Some(keys) = keys else { return Ok(Vec::new()) };
    for key in &keys.value {
        let head = key.bytes().next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
        if !head || !key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            let rule = format!("{key:?} is not the name of an environment variable");
            return Err(document.invalid(rule, keys.line));
        }
    }
    Ok(keys.value)
}

fn paths(document: &Document<'_>, key: &str, paths: Texts) -> Result<Vec<String>, Problem> {
    let Some(paths) = paths else { return Ok(Vec::new()) };
    for path in &paths.value {
        anchored(document, key, path, paths.line)?;
    }
    Ok(paths.value)
}

fn anchored(document: &Document<'_>, key: &str, path: &str, line: u32) -> Result<(), Problem> {
    let climbs = path.split('/').any(|part| part == "..");
    if (path.starts_with('/') || path == "~" || path.starts_with("~/")) && !climbs {
        return Ok(());
    }
    let rule = format!("capabilities.spawn.{key} must be absolute or begin with ~, without ..");
    Err(document.invalid(rule, line))
}

fn output(document: &Document<'_>, raw: Option<&Spot<i64>>, standard: u64) -> Result<u64, Problem> {
    let Some(raw) = raw else { return Ok(standard) };
    u64::try_from(raw.value).ok().filter(|bytes| (1..=OUTPUT_MAX).contains(bytes)).ok_or_else(
        || {
            let rule = format!("capabilities.spawn.limits must be 1 to {OUTPUT_MAX} bytes");
            document.invalid(rule, raw.line)
        },
    )
}

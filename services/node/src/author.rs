//! The author's work on a project in a folder: what `aileron connector new`, `check`, `build`,
//! `test`, `pack`, `sign` and `publish --dry-run` do. No daemon is asked, and no state folder is
//! touched; what is written lies in the project, below `dist/` unless said otherwise.

mod build;
mod dist;
mod files;
mod operations;
mod recording;
mod trial;
mod upstream;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use aileron_contract::{Error, Reason, Secret, names::ActionName};
use aileron_executor::{
    author::{self, Asked, NewAction, Package},
    formats::{ProblemKind, manifest},
};

pub use aileron_contract::{
    Result,
    names::{Fqn, HostPort, Version},
};
pub use aileron_executor::{
    author::{NewProject, PublicKey, Release, SigningKey},
    formats::Problem,
};
pub use build::{Built, build};
pub use dist::{Layout, Packed, layout, pack, sign};
pub use recording::Exchange;
pub use trial::{Trial, Tried, Upstream, trial};

/// What can be asked of the SDK's place.
pub use aileron_executor::author::Sdk;

/// The key pair's files.
#[derive(Debug)]
pub struct NewKey {
    /// PEM, for `aileron connector sign` and OpenSSL.
    pub private: PathBuf,
    /// Base64 of it, for the secret of the release job.
    pub private_base64: PathBuf,
    /// For the repository's `keys/` folder.
    pub public: PathBuf,
    pub fingerprint: String,
}

/// Writes a new project into `folder`, which must not exist yet or be empty. Returns what was
/// written, relative to it.
pub fn create(folder: &Path, project: &NewProject) -> Result<Vec<String>> {
    let files = project.files()?;
    files::claim(folder)?;
    files.into_iter().map(|file| files::create(folder, file)).collect()
}

/// A new action's file.
#[derive(Debug)]
pub struct ActionWritten {
    pub path: String,
    /// Why it can only fail as it is, when the built connector says so.
    pub dead: Option<String>,
}

/// Adds an action of the project's own connector. The file must not be there yet.
pub async fn create_action(folder: &Path, name: &str, op: Option<&str>) -> Result<ActionWritten> {
    let name: ActionName = name.parse()?;
    let connector = files::connector(folder)?;
    let op = op.unwrap_or(name.as_str()).to_owned();
    let path = files::create(folder, NewAction { connector, name, op: op.clone() }.file()?)?;
    let lacks = lacking(folder, &files::sources(folder)?, [op.clone()].into()).await?;
    Ok(ActionWritten { path, dead: lacks.contains(&op).then(|| operations::sentence(&op)) })
}

/// Makes a key pair. Nothing is overwritten, and the private half is readable by its owner only.
pub fn create_key(folder: &Path) -> Result<NewKey> {
    let seed = Secret::new(crate::services::random::<32>()?.to_vec());
    let key = SigningKey::from_seed(&seed)?;
    let [private, private_base64, public] =
        ["publisher.pem", "publisher.pem.base64", "publisher.pub"].map(|name| folder.join(name));
    for path in [&private, &private_base64, &public] {
        files::absent(path)?;
    }
    std::fs::create_dir_all(folder).map_err(|error| files::failed("make", folder, error))?;
    key.pem()?.expose(|pem| files::write_new(&private, pem, 0o600))?;
    key.pem_base64()?.expose(|text| files::write_new(&private_base64, text, 0o600))?;
    files::write_new(&public, key.public().pem()?.as_bytes(), 0o644)?;
    Ok(NewKey { private, private_base64, public, fingerprint: key.public().fingerprint() })
}

/// Every problem of a project's files, in their order; with the built module's hash when there is
/// one, which is also asked for the operations that the actions need.
pub async fn check(folder: &Path) -> Result<Vec<Problem>> {
    let sources = files::sources(folder)?;
    let built = files::optional(&dist::module(folder), files::MODULE_MAX)?;
    let hash = built.and_then(|module| {
        let package = Package::connector(module, sources.manifest.bytes.clone()).ok()?;
        Some(package.hash())
    });
    let mut problems = author::check(&sources, hash);
    let asked = author::asked(&sources);
    let ops = asked.iter().map(|it| it.op.clone()).collect();
    let lacking = lacking(folder, &sources, ops).await?;
    let dead = asked.into_iter().filter(|it| lacking.contains(&it.op));
    problems.extend(dead.map(|Asked { op, file, line }| {
        Problem::new(ProblemKind::Validation, operations::sentence(&op), file, line)
    }));
    problems.sort_by(|a, b| (a.file(), a.line()).cmp(&(b.file(), b.line())));
    Ok(problems)
}

/// Which of these operations the module in `dist/` says it has not; none before it is built.
async fn lacking(
    folder: &Path,
    sources: &author::Sources,
    ops: BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    let built = files::optional(&dist::module(folder), files::MODULE_MAX)?;
    let manifest = manifest::parse(&sources.manifest.bytes, &sources.manifest.path);
    match (built, manifest) {
        (Some(module), Ok(manifest)) => operations::lacking(folder, module, manifest, ops).await,
        _ => Ok(BTreeSet::new()),
    }
}

/// Reads the public key in a file; of a private key, its public half.
pub fn read_public_key(path: &Path) -> Result<PublicKey> {
    let file = Secret::new(files::bounded(path, files::KEY_MAX)?);
    match file.expose(PublicKey::read) {
        Ok(key) => Ok(key),
        Err(error) => SigningKey::read(&file).map(|key| key.public()).map_err(|_| error),
    }
}

/// Reads a signing key.
pub fn read_signing_key(path: &Path) -> Result<SigningKey> {
    SigningKey::read(&Secret::new(files::bounded(path, files::KEY_MAX)?))
}

/// Reads what takes the place of a manifest's client secret.
pub fn read_client_secret(path: &Path) -> Result<Secret> {
    files::bounded(path, files::KEY_MAX).map(Secret::new)
}

/// All problems as one refusal, one on each line; nothing when there is none.
fn sound(folder: &Path) -> Result<author::Sources> {
    let sources = files::sources(folder)?;
    let problems = author::check(&sources, None);
    if problems.is_empty() {
        return Ok(sources);
    }
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    Err(Error::new(Reason::ValidationError, lines.join("\n")))
}

//! `dist/`: the built module, and the packages of one release as a tag publishes them.
//!
//! `dist/release/<tag>/` holds the files of a package; signing adds `signature.sig` and the asset
//! `aileron.tar.gz`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use aileron_contract::{Error, Reason, Result, Secret, names::Sha256Hash, names::Version};
use aileron_executor::{
    author::{self, ASSET, Package, PublicKey, Release, Signed, SigningKey},
    formats::{
        manifest,
        package::{ACTION, MANIFEST, SIGNATURE, WASM as MODULE},
    },
};
use aileron_store::files::write_atomic;

use super::{files, operations};

/// One package of the release.
#[derive(Debug)]
pub struct Packed {
    pub tag: String,
    /// The package, as people ask for it.
    pub package: String,
    pub prerelease: bool,
    pub hash: Sha256Hash,
    /// The asset, relative to the project, once it is signed.
    pub asset: Option<String>,
    /// Of the asset's bytes.
    pub asset_hash: Option<Sha256Hash>,
}

/// What a pushed tag publishes.
#[derive(Debug)]
pub struct Layout {
    /// The one tag to push.
    pub tag: String,
    /// In the order of publication: the connector, then its actions.
    pub releases: Vec<Packed>,
    /// Of the key that verifies every signature; none as long as a package is not signed.
    pub fingerprint: Option<String>,
    /// What stands in the way of publishing, in words.
    pub obstacles: Vec<String>,
}

/// Where the built module is kept.
pub(super) fn module(folder: &Path) -> PathBuf {
    folder.join("dist").join(MODULE)
}

pub(super) fn keep_module(folder: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let path = module(folder);
    write(&path, bytes)?;
    Ok(path)
}

/// Makes the packages of `version` from sound sources and a module (`dist/connector.wasm` unless
/// another is named). What an earlier call made is replaced.
pub fn pack(
    folder: &Path,
    version: &Version,
    module: Option<&Path>,
    client_secret: Option<&Secret>,
) -> Result<Vec<Packed>> {
    let sources = super::sound(folder)?;
    let own = self::module(folder);
    let path = module.unwrap_or(&own);
    let built = files::optional(path, files::MODULE_MAX)?.ok_or_else(|| {
        let text = format!("{} is not there: run aileron connector build", path.display());
        Error::new(Reason::InvalidRequest, text)
    })?;
    let release = author::release(&sources, built, version, client_secret)?;
    let root = release_folder(folder);
    match fs::remove_dir_all(&root) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(files::failed("remove", &root, error));
        }
        _ => {}
    }
    for package in release.packages() {
        for (name, bytes) in package.files() {
            write(&root.join(package.tag()).join(name), bytes)?;
        }
    }
    Ok(release.packages().map(unsigned).collect())
}

/// Signs every package of the release and closes its archive. The key must be the one that the
/// repository publishes, when it publishes one.
pub fn sign(folder: &Path, key: &SigningKey) -> Result<Vec<Packed>> {
    if let Some(published) = published_key(folder)?
        && published != key.public()
    {
        let text = format!(
            "keys/publisher.pub is {}, and this key is {}: nobody could verify what it signs",
            published.fingerprint(),
            key.public().fingerprint()
        );
        return Err(Error::new(Reason::ValidationError, text));
    }
    let root = release_folder(folder);
    let mut packed = Vec::new();
    let Release { connector, actions } = read(folder)?;
    for package in std::iter::once(connector).chain(actions) {
        let place = root.join(package.tag());
        let signed = package.sign(key);
        let archive = signed.archive()?;
        write(&place.join(SIGNATURE), &signed.signature)?;
        write(&place.join(ASSET), &archive)?;
        packed.push(with_asset(&signed.package, &archive));
    }
    Ok(packed)
}

/// What lies in `dist/release`, checked: placeholders replaced, hashes pinned, signatures by the
/// published key, archives of exactly these files.
pub async fn layout(folder: &Path) -> Result<Layout> {
    let release = read(folder)?;
    let published = published_key(folder)?;
    let mut obstacles = Vec::new();
    if published.is_none() {
        obstacles.push("keys/publisher.pub is missing: nobody can trust what is signed".to_owned());
    }
    let tag = release.connector.tag();
    let hash = release.connector.hash();
    let Release { connector, actions } = release;
    let fqn = connector.reference().fqn.clone();
    let mut asked = Vec::new();
    for action in &actions {
        let text = action.files().first().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        let pinned = aileron_executor::formats::action::parse(text, ACTION)?;
        if pinned.requires.iter().any(|it| it.package.fqn == fqn && it.hash != hash) {
            obstacles.push(format!("{} pins another connector than {hash}", action.tag()));
        }
        let ops = author::asked_by(&pinned, &fqn);
        asked.extend(ops.into_iter().map(|op| (action.tag(), op)));
    }
    let ops = asked.iter().map(|(_, op)| op.clone()).collect();
    let lacking = lacking(folder, &connector, ops).await?;
    let dead = asked.iter().filter(|(_, op)| lacking.contains(op));
    obstacles.extend(dead.map(|(tag, op)| format!("{tag}: {}", operations::sentence(op))));
    let root = release_folder(folder);
    let mut releases = Vec::new();
    for package in std::iter::once(connector).chain(actions) {
        let place = root.join(package.tag());
        releases.push(standing(package, &place, published, &mut obstacles)?);
    }
    let fingerprint = published.filter(|_| obstacles.is_empty()).map(|key| key.fingerprint());
    Ok(Layout { tag, releases, fingerprint, obstacles })
}

/// One package as it lies in its folder, and what stands in the way of publishing it.
fn standing(
    package: Package,
    place: &Path,
    published: Option<PublicKey>,
    obstacles: &mut Vec<String>,
) -> Result<Packed> {
    let tag = package.tag();
    let signature = files::optional(&place.join(SIGNATURE), 64)?
        .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let asset = files::optional(&place.join(ASSET), files::MODULE_MAX)?;
    let (Some(signature), Some(asset)) = (signature, asset) else {
        obstacles.push(format!("{tag} is not signed: run aileron connector sign"));
        return Ok(unsigned(&package));
    };
    let signed = Signed { package, signature };
    if published.is_some_and(|key| !signed.verified_by(&key)) {
        obstacles.push(format!("{tag} is not signed by the key of keys/publisher.pub"));
    }
    if signed.archive()? != asset {
        obstacles.push(format!("{tag}/{ASSET} holds other files than its folder: sign again"));
    }
    Ok(with_asset(&signed.package, &asset))
}

/// Which of these operations the connector that is to be released has not.
async fn lacking(
    folder: &Path,
    connector: &Package,
    ops: BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    let [(_, module), (_, text)] = connector.files() else { return Ok(BTreeSet::new()) };
    let manifest = manifest::parse(text, MANIFEST)?;
    operations::lacking(folder, module.clone(), manifest, ops).await
}

/// The packages in `dist/release`.
fn read(folder: &Path) -> Result<Release> {
    let root = release_folder(folder);
    let mut connectors = Vec::new();
    for tag in files::folders(&root)?.into_iter().filter(|name| name != "actions") {
        connectors.push(package(&root.join(tag), &[MODULE, MANIFEST])?);
    }
    let mut actions = Vec::new();
    let below = root.join("actions");
    for name in files::folders(&below)? {
        for version in files::folders(&below.join(&name))? {
            actions.push(package(&below.join(&name).join(version), &[ACTION])?);
        }
    }
    let [connector] = <[Package; 1]>::try_from(connectors).map_err(|found| {
        let text = format!(
            "{} holds {} connectors instead of one: run aileron connector pack",
            root.display(),
            found.len()
        );
        Error::new(Reason::InvalidRequest, text)
    })?;
    Ok(Release { connector, actions })
}

fn package(place: &Path, names: &[&str]) -> Result<Package> {
    let mut found = Vec::new();
    for name in names {
        if let Some(bytes) = files::optional(&place.join(name), files::MODULE_MAX)? {
            found.push(((*name).to_owned(), bytes));
        }
    }
    Package::read(found).map_err(|error| {
        Error::new(error.reason(), format!("{}: {}", place.display(), error.public()))
    })
}

fn published_key(folder: &Path) -> Result<Option<PublicKey>> {
    let file = files::optional(&folder.join("keys/publisher.pub"), files::KEY_MAX)?;
    file.map(|bytes| PublicKey::read(&bytes)).transpose()
}

fn unsigned(package: &Package) -> Packed {
    Packed {
        tag: package.tag(),
        package: package.reference().to_string(),
        prerelease: package.prerelease(),
        hash: package.hash(),
        asset: None,
        asset_hash: None,
    }
}

fn with_asset(package: &Package, archive: &[u8]) -> Packed {
    Packed {
        asset: Some(format!("dist/release/{}/{ASSET}", package.tag())),
        asset_hash: Some(Sha256Hash::of(&[archive])),
        ..unsigned(package)
    }
}

fn release_folder(folder: &Path) -> PathBuf {
    folder.join("dist/release")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| files::failed("make", parent, error))?;
    }
    write_atomic(path, bytes, 0o644).map_err(|error| files::failed("write", path, error))
}

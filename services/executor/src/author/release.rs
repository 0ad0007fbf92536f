//! From sources to the packages of a version: placeholders are replaced as plain text, the
//! connector is hashed, and its hash is pinned in every action.

use aileron_contract::{Error, Reason, Result, Secret, names::Version};

use super::{DEV_VERSION, Package, Sources, UNBOUND_HASH, UNBOUND_SECRET};

/// The packages that one pushed tag publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub connector: Package,
    /// In the order of their folders.
    pub actions: Vec<Package>,
}

impl Release {
    /// The connector first, as it is published.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        std::iter::once(&self.connector).chain(&self.actions)
    }
}

/// Makes the packages of `version`. `client_secret` takes the place of the one that the source
/// manifest leaves out.
pub fn release(
    sources: &Sources,
    module: Vec<u8>,
    version: &Version,
    client_secret: Option<&Secret>,
) -> Result<Release> {
    if version.to_string() == DEV_VERSION {
        let text = format!("{DEV_VERSION} is the placeholder of sources: release another version");
        return Err(Error::new(Reason::ValidationError, text));
    }
    let mut manifest = dated(&text(&sources.manifest)?, version);
    if let Some(secret) = client_secret {
        let secret = secret.expose(quotable)?;
        manifest = manifest.replace(UNBOUND_SECRET, &secret);
    }
    let connector = Package::connector(module, manifest.into_bytes())?;
    if connector.reference().version != *version {
        let text = format!(
            "{} says {} instead of {DEV_VERSION}: a release of {version} would not be that",
            sources.manifest.path,
            connector.reference().version
        );
        return Err(Error::new(Reason::ValidationError, text));
    }
    let hash = connector.hash().to_string();
    let actions = sources.actions.iter().map(|source| {
        let bound = dated(&text(&source.file)?, version).replace(UNBOUND_HASH, &hash);
        let action = Package::action(bound.into_bytes())?;
        if action.tag() != format!("actions/{}/v{version}", source.folder) {
            let text = format!(
                "{} makes the release {}, which is not that of its folder and of {version}",
                source.file.path,
                action.tag()
            );
            return Err(Error::new(Reason::ValidationError, text));
        }
        Ok(action)
    });
    Ok(Release { actions: actions.collect::<Result<_>>()?, connector })
}

fn dated(text: &str, version: &Version) -> String {
    text.replace(DEV_VERSION, &version.to_string())
}

fn text(file: &super::SourceFile) -> Result<String> {
    String::from_utf8(file.bytes.clone())
        .map_err(|_| Error::new(Reason::ParseError, format!("{} is not UTF-8 text", file.path)))
}

/// A secret that can stand between the quotes of a TOML string.
fn quotable(secret: &[u8]) -> Result<String> {
    let text = String::from_utf8_lossy(secret).trim().to_owned();
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_graphic() && c != b'"' && c != b'\\') {
        let text = "the client secret must be one word without quotes and backslashes";
        return Err(Error::new(Reason::ValidationError, text));
    }
    Ok(text)
}

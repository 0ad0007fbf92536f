//! Packages of a release: made, signed, shown.

use std::path::Path;

use serde_json::json;

use super::done;
use crate::{
    arguments::PackArguments,
    exit::Exit,
    failure::Result,
    printer::Printer,
    runtime::author::{self, Packed},
    table,
};

pub(super) fn pack(arguments: &PackArguments, printer: Printer) -> Result<Exit> {
    let PackArguments { project, version, module, client_secret_file } = arguments;
    let version = done(version.strip_prefix('v').unwrap_or(version).parse())?;
    let secret = client_secret_file.as_deref().map(author::read_client_secret);
    let secret = done(secret.transpose())?;
    let packed = done(author::pack(project, &version, module.as_deref(), secret.as_ref()))?;
    for package in &packed {
        printer.tick(format!("Packed {}", package.package));
        printer.say(format!("  {}", package.hash));
    }
    printer.say("  not signed yet: aileron connector sign --key FILE");
    Ok(Exit::Done)
}

pub(super) fn sign(project: &Path, key: &Path, printer: Printer) -> Result<Exit> {
    let key = done(author::read_signing_key(key))?;
    for package in done(author::sign(project, &key))? {
        printer.tick(format!("Signed {}", package.package));
        printer.say(format!("  {}", package.asset.unwrap_or_default()));
    }
    printer.say(format!("  by {}", key.public().fingerprint()));
    Ok(Exit::Done)
}

/// What a pushed tag publishes, and what stands in its way.
pub(super) async fn layout(project: &Path, json: bool, printer: Printer) -> Result<Exit> {
    let layout = done(author::layout(project).await)?;
    if json {
        let releases: Vec<_> = layout.releases.iter().map(described).collect();
        let whole = json!({
            "push": layout.tag,
            "fingerprint": layout.fingerprint,
            "releases": releases,
            "obstacles": layout.obstacles,
        });
        printer.data(whole.to_string());
    } else {
        printer.say(format!("Pushing the tag {} publishes:", layout.tag));
        let rows = layout.releases.into_iter().map(|release| {
            let flag = if release.prerelease { "pre-release" } else { "latest" };
            let asset = release.asset.unwrap_or_else(|| "(not signed)".to_owned());
            [release.tag, flag.to_owned(), asset, release.hash.to_string()]
        });
        table::print(printer, "nothing", ["TAG", "RELEASE", "ASSET", "HASH"], rows);
    }
    for obstacle in &layout.obstacles {
        printer.cross(obstacle);
    }
    if let Some(fingerprint) = layout.fingerprint {
        printer.tick(format!("every signature is by {fingerprint}"));
    }
    Ok(if layout.obstacles.is_empty() { Exit::Done } else { Exit::Failed })
}

fn described(release: &Packed) -> serde_json::Value {
    json!({
        "tag": release.tag,
        "package": release.package,
        "prerelease": release.prerelease,
        "hash": release.hash.to_string(),
        "asset": release.asset,
        "asset_hash": release.asset_hash.map(|hash| hash.to_string()),
    })
}

//! Connectors that stand in the store, accepted by nobody: they become installed when they, or an
//! action that needs them, are accepted. So the person sees before what each may do.

use std::collections::BTreeSet;

use aileron_contract::{
    names::{ActionName, PackageRef},
    packages::{Capabilities, ConnectorPreview, ConnectorRequest, Drift, DriftOf},
};
use maud::{Markup, html};

use super::super::{
    answer::{Problem, Result},
    signed::Signed,
    text::{said, shown},
};
use crate::Shared;

/// One of them.
pub(super) struct Along {
    package: PackageRef,
    needed_by: Vec<ActionName>,
    /// Why it cannot be accepted, when it cannot be shown.
    may: Result<ConnectorPreview, String>,
}

impl Along {
    /// Does it become installed with this?
    pub(super) fn comes_with(&self, of: &DriftOf) -> bool {
        match of {
            DriftOf::Action(name) => self.needed_by.contains(name),
            DriftOf::Connector(package) => self.package == *package,
            DriftOf::Lock => false,
        }
    }

    pub(super) fn is_shown(&self) -> bool {
        self.may.is_ok()
    }

    /// What it may do, on the card of this.
    pub(super) fn told(&self, of: &DriftOf) -> Markup {
        match &self.may {
            Ok(preview) => may(preview, *of != DriftOf::Connector(self.package.clone())),
            Err(why) => html! { p.notice.warn { (said(&self.package)) ": " (shown(why)) } },
        }
    }
}

/// Those that come along with what drifted; each is verified as if it were installed.
pub(super) async fn with(
    shared: &Shared,
    signed: &Signed,
    drifted: &[Drift],
) -> Result<Vec<Along>> {
    let packages = &shared.services.packages;
    let missing = packages.needs(&signed.context).await?.missing;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let everything = packages.drift(&signed.context, None).await?;
    let standing: BTreeSet<PackageRef> = everything.into_iter().filter_map(standing).collect();
    let mut along = Vec::new();
    for connector in missing {
        let package = connector.package;
        let (hash, needed_by) = (Some(connector.hash), connector.needed_by);
        let mut one = Along { package, needed_by, may: Err(String::new()) };
        if !standing.contains(&one.package) || !drifted.iter().any(|it| one.comes_with(&it.of)) {
            continue;
        }
        let request = ConnectorRequest { package: one.package.clone(), expected_hash: hash };
        one.may = match packages.preview_connector(&signed.context, request).await {
            Ok(preview) => Ok(preview),
            Err(error) => Err(Problem::from(error).message().to_owned()),
        };
        along.push(one);
    }
    Ok(along)
}

/// A connector that can be accepted as it is.
fn standing(drift: Drift) -> Option<PackageRef> {
    match drift {
        Drift { of: DriftOf::Connector(package), digest: Some(_), .. } => Some(package),
        _ => None,
    }
}

fn may(preview: &ConnectorPreview, named: bool) -> Markup {
    let Capabilities { hosts, credential } = &preview.capabilities;
    html! {
        dl.facts {
            @if named { dt { "Comes with it" } dd { (said(&preview.package)) } }
            dt { "Signed by" }
            dd { (shown(&preview.publisher)) " " code { (shown(&preview.fingerprint)) } }
            dt { "Sends requests to" }
            dd {
                @for host in hosts { code { (said(host)) } " " }
                @if hosts.is_empty() { "nowhere" }
            }
            dt { "Credential" }
            dd {
                @match credential {
                    Some(need) => { (need.kind()) ", sent as " code { (said(&need.form)) } },
                    None => "none",
                }
            }
        }
    }
}

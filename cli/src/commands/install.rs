//! What installing actions and suites share: trust, consent per connector, binding.

use std::collections::BTreeSet;

use aileron_api::packages::{
    ActionPreview, InstallActionRequest, InstallConnectorRequest, InstalledAction, SuiteMember,
};

use super::{binding, connector, keyring};
use crate::{
    connection::{Connection, Person},
    failure::{Failure, Result},
    printer::{Printer, one_line},
    terminal,
};

/// How the person answered in advance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices {
    pub(super) force: bool,
    pub(super) yes: bool,
    /// Of its own: `yes` does not answer for what nobody signed.
    pub(super) accept_unsigned: bool,
    pub(super) bind: Bind,
}

/// What to do about a connector's missing credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bind {
    Offer,
    Always,
    Never,
}

/// What a person answered before in the same command, so that no question comes twice.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Owners the person does not trust.
    declined: BTreeSet<String>,
    /// Owners the person trusts since a moment ago.
    trusted: BTreeSet<String>,
}

impl Memo {
    /// The person trusts that owner since a moment ago.
    pub(super) fn trusts(&mut self, owner: String) {
        self.trusted.insert(owner);
    }

    /// Trust outlasts an installation that was declined after it: the person is told.
    pub(super) fn remind(&self, printer: Printer) {
        for owner in &self.trusted {
            let owner = one_line(owner);
            printer.say(format!(
                "You trust {owner} from now on; aileron keyring revoke {owner} takes that back."
            ));
        }
    }

    /// The same, when that is how it ended.
    pub(super) fn reminded<T>(&self, printer: Printer, ended: Result<T>) -> Result<T> {
        if matches!(ended, Err(Failure::NotInstalled)) {
            self.remind(printer);
        }
        ended
    }
}

/// The trust prompt for the repository of a package, unless its publisher is trusted.
pub(super) async fn ensure_trust(
    connection: &Connection<'_>,
    person: &Person,
    memo: &mut Memo,
    fqn: &str,
    yes: bool,
) -> Result<()> {
    if is_trusted(person, fqn).await? {
        return Ok(());
    }
    let authority = authority_of(fqn);
    let owner = keyring::owner_of(&authority);
    let untrusted = || Failure::plain(format!("{owner} is not trusted; nothing was installed"));
    if memo.declined.contains(&owner) {
        return Err(untrusted());
    }
    let published = person.client.look_up_key(&keyring::look_up(&authority)).await?.value;
    if keyring::offer_trust(person, connection.printer, &published, yes).await? {
        memo.trusted.insert(owner);
        Ok(())
    } else {
        let refused = untrusted();
        memo.declined.insert(owner);
        Err(refused)
    }
}

/// Needs the publisher of a package no question? A keyring that somebody else wrote answers
/// nothing, and no new trust is put on top of it.
pub(super) async fn is_trusted(person: &Person, fqn: &str) -> Result<bool> {
    // Its key has no place to be looked up at: what another one signed, the runtime refuses.
    if fqn.starts_with("local://") {
        return Ok(true);
    }
    let keyring = match person.client.keyring().await {
        // A token that may install but not look: the runtime installs nothing of a stranger.
        Err(error) if Failure::lacks_right(&error) => return Ok(true),
        answer => answer?.value,
    };
    if keyring.verified == Some(false) {
        return Err(Failure::plain(format!(
            "{} is not as you left it: somebody changed whom you trust, and nothing was \
             installed. Look at it (aileron keyring list), and trust again whom you know (aileron \
             keyring trust)",
            keyring.path
        )));
    }
    let authority = authority_of(fqn);
    let covered = |key: &str| key == authority || authority.starts_with(&format!("{key}/"));
    Ok(keyring.items.iter().any(|key| covered(&key.authority)))
}

/// One action: trust, consent to each missing connector, install, bind.
pub(super) async fn action(
    connection: &Connection<'_>,
    person: &Person,
    package: SuiteMember,
    choices: Choices,
    memo: &mut Memo,
) -> Result<InstalledAction> {
    let printer = connection.printer;
    let SuiteMember { fqn, version } = package;
    ensure_trust(connection, person, memo, &fqn, choices.yes).await?;
    let mut request =
        InstallActionRequest { fqn, version, force: choices.force, ..Default::default() };
    let working = printer.working(format!("fetching and verifying {}", request.fqn));
    let preview = person.client.preview_action(&request).await;
    drop(working);
    let preview = match preview {
        // A token that may install but not look was minted by a person: that was the consent.
        Err(error) if choices.yes && Failure::lacks_right(&error) => None,
        answer => Some(answer?.value),
    };
    request.expected_hash = preview.as_ref().map(|preview| preview.hash.clone());
    request.accept_unsigned = match &preview {
        Some(preview) => {
            refuse_takeover(preview, choices.force)?;
            agree_to_unsigned(printer, preview, choices)?
        }
        None => choices.accept_unsigned,
    };
    request.auto_install_connectors = preview.is_none();
    let needed = preview.iter().flat_map(|preview| &preview.connector_deps);
    for dependency in needed.filter(|it| !it.already_installed) {
        ensure_trust(connection, person, memo, &dependency.fqn, choices.yes).await?;
        let connector = InstallConnectorRequest {
            fqn: dependency.fqn.clone(),
            version: dependency.version.clone(),
            expected_hash: Some(dependency.hash.clone()),
        };
        connector::consent(printer, person, &connector, choices.yes).await?;
        request.auto_install_connectors = true;
    }
    let working = printer.working(format!("installing {}", request.fqn));
    let installed = person.client.install_action(&request).await;
    drop(working);
    let installed = installed?.value;
    report(printer, &installed, preview.as_ref());
    binding::mention_stale(printer, &installed.newly_stale_bindings);
    if choices.bind != Bind::Never {
        let missing: BTreeSet<String> =
            installed.unbound_capabilities.iter().map(|need| need.connector_fqn.clone()).collect();
        for connector in missing {
            binding::offer(connection, person, &connector, choices.bind == Bind::Always).await?;
        }
    }
    Ok(installed)
}

pub(super) fn refuse_takeover(preview: &ActionPreview, force: bool) -> Result<()> {
    let Some(existing) = &preview.existing else { return Ok(()) };
    let source = existing.source.rsplit_once('@').map_or(&*existing.source, |(fqn, _)| fqn);
    if source != preview.fqn {
        return Err(Failure::plain(format!(
            "the name {} belongs to {source}, and {} does not take it over: if that is what you \
             want, move {} away first",
            preview.name, preview.fqn, existing.path
        )));
    }
    if force {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "an action named {} is installed from {} ({}); say --force to replace it",
        preview.name, existing.source, existing.version
    )))
}

/// May it be installed although nobody signed it? A question of its own, which `--yes` does not
/// answer.
pub(super) fn agree_to_unsigned(
    printer: Printer,
    preview: &ActionPreview,
    choices: Choices,
) -> Result<bool> {
    if preview.already_installed || preview.signature_status.as_deref() != Some("unsigned") {
        return Ok(false);
    }
    printer
        .say(format!("The action {} is not signed: anybody could have written it.", preview.name));
    let signer = preview.existing.as_ref().and_then(|existing| existing.fingerprint.as_ref());
    if let Some(signer) = signer {
        printer.say(format!("  The one it replaces was signed with {signer}."));
    }
    if choices.accept_unsigned {
        return Ok(true);
    }
    if choices.yes {
        return Err(Failure::plain(
            "--yes does not answer for an action that nobody signed: read it, and say \
             --accept-unsigned if you want it all the same",
        ));
    }
    if terminal::confirm(printer, "Install it all the same?")? {
        Ok(true)
    } else {
        Err(Failure::NotInstalled)
    }
}

pub(super) fn report(
    printer: Printer,
    installed: &InstalledAction,
    preview: Option<&ActionPreview>,
) {
    if installed.already_installed {
        printer.say(format!("Already installed: {}@{}", installed.fqn, installed.version));
        return;
    }
    let gated = preview.is_some_and(|preview| preview.approval_required);
    let gate = if gated { ", each call waits for your approval" } else { "" };
    printer.tick(format!("Installed {} {}{gate}", installed.name, installed.version));
}

/// `<scheme>://<owner>/<repo>` of a package.
pub(super) fn authority_of(fqn: &str) -> String {
    let (scheme, rest) = fqn.split_once("://").unwrap_or(("", fqn));
    let mut segments = rest.split('/');
    let owner = segments.next().unwrap_or_default();
    let repo = segments.next().unwrap_or_default();
    format!("{scheme}://{owner}/{repo}")
}

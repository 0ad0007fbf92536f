//! Whose packages may be installed: the question about a publisher, asked once.

use std::collections::BTreeSet;

use crate::{
    commands::keyring,
    connection::{Connection, Person},
    failure::{Failure, Result},
    printer::{Printer, one_line},
};

/// What a person answered before in the same command, so that no question comes twice.
#[derive(Debug, Default)]
pub(in crate::commands) struct Memo {
    /// Owners the person does not trust.
    declined: BTreeSet<String>,
    /// Owners the person trusts since a moment ago.
    trusted: BTreeSet<String>,
}

impl Memo {
    /// The person trusts that owner since a moment ago.
    pub(in crate::commands) fn trusts(&mut self, owner: String) {
        self.trusted.insert(owner);
    }

    /// Trust outlasts an installation that was declined after it: the person is told.
    pub(in crate::commands) fn remind(&self, printer: Printer) {
        for owner in &self.trusted {
            let owner = one_line(owner);
            printer.say(format!(
                "You trust {owner} from now on; aileron keyring revoke {owner} takes that back."
            ));
        }
    }

    /// The same, when that is how it ended.
    pub(in crate::commands) fn reminded<T>(&self, printer: Printer, ended: Result<T>) -> Result<T> {
        if matches!(ended, Err(Failure::NotInstalled)) {
            self.remind(printer);
        }
        ended
    }
}

/// The trust prompt for the repository of a package, unless its publisher is trusted.
pub(in crate::commands) async fn ensure_trust(
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
pub(in crate::commands) async fn is_trusted(person: &Person, fqn: &str) -> Result<bool> {
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

/// `<scheme>://<owner>/<repo>` of a package.
pub(in crate::commands) fn authority_of(fqn: &str) -> String {
    let (scheme, rest) = fqn.split_once("://").unwrap_or(("", fqn));
    let mut segments = rest.split('/');
    let owner = segments.next().unwrap_or_default();
    let repo = segments.next().unwrap_or_default();
    format!("{scheme}://{owner}/{repo}")
}

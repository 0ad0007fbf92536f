//! Where the Hub says that a publisher's key lies, and which of that is believed: only a file that
//! the publisher's own repositories serve. Anybody may write an entry, and anybody may attach a
//! file to somebody's issue or propose a change to somebody's repository.

use aileron_contract::{
    Error, Reason, Result,
    names::{Authority, Fqn},
    publishers::{HubEntry, HubOffer},
};
use url::Url;

use super::View;
use crate::packages::sources::Sources;

/// The address of an entry's key, or why it is not fetched.
pub(super) fn address(sources: &Sources, fqn: &Fqn, key_url: &str) -> Result<Url, String> {
    let url: Url = key_url.parse().map_err(|_| format!("{key_url:?} is no address"))?;
    let place = below(&sources.raw_url, &url)
        .map(|path| (path, false))
        .or_else(|| below(&sources.base_url, &url).map(|path| (path, true)));
    let Some((path, page)) = place else {
        return Err(format!(
            "its key lies at {key_url}, and keys are fetched from {} and {} only",
            host(&sources.raw_url),
            host(&sources.base_url)
        ));
    };
    let segments: Vec<_> = path.iter().map(String::as_str).collect();
    let (owner, file) = match (segments.as_slice(), page) {
        ([owner, _repo, "raw", file @ ..], true) | ([owner, _repo, file @ ..], false) => {
            (*owner, file)
        }
        _ => ("", &[][..]),
    };
    if !owner.eq_ignore_ascii_case(fqn.owner()) || !on_a_branch(file) {
        return Err(format!(
            "its key lies at {key_url}, which is no file on a branch of a repository of {}",
            fqn.owner()
        ));
    }
    Ok(url)
}

/// The entry whose key speaks for an owner: the first of the owner's connectors that contradicts
/// nothing.
pub(in crate::packages) fn of_owner<'v>(
    view: &'v View,
    sources: &Sources,
    owner: &Authority,
) -> Result<(&'v Fqn, Url)> {
    let mut contradicted = None;
    for entry in view.catalogue.entries() {
        let HubOffer::Connector(offer) = &entry.offer else { continue };
        if !entry.fqn.authority().owner().as_str().eq_ignore_ascii_case(owner.as_str()) {
            continue;
        }
        match (sound(entry), address(sources, &entry.fqn, &offer.key_url)) {
            (Ok(()), Ok(url)) => return Ok((&entry.fqn, url)),
            (Err(error), _) => contradicted = Some(error),
            (Ok(()), Err(_)) => {}
        }
    }
    Err(contradicted.unwrap_or_else(|| {
        let text = format!(
            "the Hub lists no connector of {owner}: name one of its repositories instead, like \
             {owner}/connector, or give the key from a file (--key-file)"
        );
        Error::new(Reason::NotFound, text)
    }))
}

/// Refuses an entry that contradicts another, or itself.
pub(super) fn sound(entry: &HubEntry) -> Result<()> {
    let Some(conflict) = entry.conflicts.first() else { return Ok(()) };
    let text = format!(
        "the Hub's entry {} is not believed ({}): {}. Trust a repository of the publisher that you \
         know instead (aileron keyring trust github://owner/repo)",
        entry.fqn, conflict.kind, conflict.detail
    );
    Err(Error::new(Reason::HubConflict, text))
}

/// The path of `url` below `base`, segment by segment as they are written.
fn below(base: &Url, url: &Url) -> Option<Vec<String>> {
    let same = url.scheme() == "https" && base.origin() == url.origin() && url.query().is_none();
    let mut rest = url.path_segments()?;
    let mut start = base.path_segments()?.filter(|segment| !segment.is_empty());
    let inside = start.all(|segment| rest.next() == Some(segment));
    (same && inside).then(|| rest.map(str::to_owned).collect())
}

/// A branch and a file: not a commit, which may be one of a fork, nor a proposal of a stranger.
fn on_a_branch(segments: &[&str]) -> bool {
    let (branch, file) = match segments {
        ["refs", "heads", branch, file @ ..] => (*branch, file),
        ["refs", ..] | [] => return false,
        [branch, file @ ..] => (*branch, file),
    };
    let commit = branch.len() >= 4 && branch.bytes().all(|c| c.is_ascii_hexdigit());
    let plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
    };
    let proposal = ["pull", "merge-requests"].contains(&branch);
    plain(&branch) && !commit && !proposal && !file.is_empty() && file.iter().all(plain)
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(sources: &Sources, url: &str) -> bool {
        address(sources, &"github://acme/notes".parse().unwrap(), url).is_ok()
    }

    #[test]
    fn a_key_is_a_file_on_a_branch_of_its_publisher() {
        let sources = Sources::github().unwrap();
        for url in [
            "https://raw.githubusercontent.com/acme/notes/HEAD/keys/publisher.pub",
            "https://raw.githubusercontent.com/Acme/keys/main/publisher.pub",
            "https://raw.githubusercontent.com/acme/notes/refs/heads/main/keys/publisher.pub",
            "https://github.com/acme/notes/raw/main/keys/publisher.pub",
        ] {
            assert!(leads(&sources, url), "{url}");
        }
    }

    #[test]
    fn a_key_that_leads_elsewhere_is_not_fetched() {
        let sources = Sources::github().unwrap();
        for url in [
            "https://raw.githubusercontent.com/mallory/notes/HEAD/keys/publisher.pub",
            "https://raw.githubusercontent.com/acme/../mallory/x/HEAD/key",
            "https://raw.githubusercontent.com/acme%2F..%2Fmallory/x/HEAD/key",
            "https://raw.githubusercontent.com/acme/notes/HEAD/%2e%2e/%2e%2e/key",
            "https://raw.githubusercontent.com:444/acme/notes/HEAD/key",
            "https://raw.githubusercontent.com.evil.example/acme/notes/HEAD/key",
            "https://evil.example/acme/notes/HEAD/key",
            "http://raw.githubusercontent.com/acme/notes/HEAD/key",
            // A commit may be of a fork, a proposal of anybody.
            "https://raw.githubusercontent.com/acme/notes/0123456789abcdef0123456789abcdef01234567/key",
            "https://raw.githubusercontent.com/acme/notes/0123abc/key",
            "https://raw.githubusercontent.com/acme/notes/refs/pull/1/head/key",
            "https://raw.githubusercontent.com/acme/notes/pull/1/head/key",
            // What strangers attach.
            "https://github.com/acme/notes/files/1/key.txt",
            "https://github.com/acme/notes/raw/HEAD/key?to=https://evil.example",
            "https://github.com/acme/notes",
            "https://raw.githubusercontent.com/acme",
        ] {
            assert!(!leads(&sources, url), "{url}");
        }
    }

    #[test]
    fn a_companys_raw_files_are_not_taken_for_an_owner_called_raw() {
        let sources = Sources::from_base(&"https://git.corp.example".parse().unwrap()).unwrap();
        assert!(leads(&sources, "https://git.corp.example/raw/acme/notes/HEAD/keys/publisher.pub"));
        let raw = "github://raw/notes".parse().unwrap();
        let url = "https://git.corp.example/raw/mallory/raw/HEAD/key";
        assert!(address(&sources, &raw, url).is_err());
    }
}

//! What is no longer as a person accepted it: shown with its difference, and not used until a
//! person accepts it as it is or installs it again. An edited lockfile stops no action, because
//! nothing goes by it; it is shown, kept and written anew.

use aileron_contract::{
    Error, Reason, Result, json, limits,
    names::{ActionName, Sha256Hash},
    packages::{Drift, DriftOf, DriftState},
};

use super::{
    Parts,
    catalog::{Catalog, Changed, Parsed},
    lock::{Found, Seen},
    pins::Part,
    records::ToolRecord,
    tool::Tool,
};

mod accept;
mod connectors;
mod difference;

pub(super) use accept::{accept, moves};
use difference::Difference;

/// All drift, or what became of one action. `vault_locked` while nobody can tell.
pub(super) async fn list(
    parts: &Parts,
    catalog: &Catalog,
    only: Option<&ActionName>,
) -> Result<Vec<Drift>> {
    let mut found = actions(parts, catalog, only, limits::DIFFERENCES).await?;
    if only.is_none() {
        found.extend(connectors::list(parts, catalog).await?);
        found.extend(of_lock(parts).await?);
    }
    Ok(found)
}

/// Actions that changed. Their differences are as long as `most` together: from the first that goes
/// beyond it on, none is made.
pub(super) async fn actions(
    parts: &Parts,
    catalog: &Catalog,
    only: Option<&ActionName>,
    most: usize,
) -> Result<Vec<Drift>> {
    let mut found = Vec::new();
    let mut room = Some(most);
    for changed in catalog.changed(only).await? {
        let Some(facts) = facts(&changed).await? else { continue };
        let mut drift = named(&changed, &facts);
        if let Some(left) = room {
            compare(parts, &changed, &facts, &mut drift).await?;
            room = left.checked_sub(drift.difference.len());
        }
        if room.is_none() {
            // Nobody accepts what was not shown.
            (drift.difference, drift.cut, drift.digest) = (String::new(), true, None);
            drift.message.push_str(". Too much changed to show it all at once: ask for this one");
        }
        found.push(drift);
    }
    Ok(found)
}

/// How many there are, without looking at any closely.
pub(super) async fn count(parts: &Parts, catalog: &Catalog) -> Result<u64> {
    let actions = catalog.changed(None).await?.len();
    let connectors = connectors::count(parts, catalog).await?;
    let lock = parts.lock.look().await?.is_some_and(|seen| !seen.is_intact());
    let all = actions.saturating_add(connectors).saturating_add(usize::from(lock));
    u64::try_from(all).map_err(Error::internal)
}

/// What is known about a changed action before it is put in words.
struct Facts {
    state: DriftState,
    /// The file as it is now.
    bytes: Option<Vec<u8>>,
    hash: Option<Sha256Hash>,
    tool: Option<ToolRecord>,
    /// The record it differs from.
    record: Option<Sha256Hash>,
}

impl Facts {
    /// What an acceptance names: everything that the difference follows from.
    fn digest(&self, name: &ActionName) -> Result<Option<Sha256Hash>> {
        if self.state == DriftState::Unreadable {
            return Ok(None);
        }
        let text = |hash: Option<Sha256Hash>| hash.map(|hash| hash.to_string());
        let value = serde_json::json!({
            "action": name.as_str(),
            "state": self.state.text(),
            "file": text(self.hash),
            "tool": self.tool,
            "record": text(self.record),
        });
        json::digest("aileron/drift/v1", &value).map(Some)
    }
}

async fn facts(changed: &Changed) -> Result<Option<Facts>> {
    let record = changed.accepted.as_ref();
    let bytes = changed.bytes().await?;
    let hash = bytes.as_ref().map(|bytes| Sha256Hash::of(&[bytes]));
    let as_accepted = record.is_some_and(|it| hash == Some(it.record.hash));
    let state = match &changed.parsed {
        Some(parsed) if hash != Some(parsed.hash) => {
            let text = format!("{} is being written right now: try again", changed.path.display());
            return Err(Error::new(Reason::ConsentChanged, text));
        }
        Some(_) if as_accepted => DriftState::Reworded,
        Some(_) if record.is_some() => DriftState::Changed,
        Some(_) if changed.altered => DriftState::RecordAltered,
        Some(_) => DriftState::Unaccepted,
        None if bytes.is_none() => DriftState::Missing,
        // Put back since it was looked for.
        None if as_accepted => return Ok(None),
        None => DriftState::Unreadable,
    };
    let tool = changed.parsed.as_ref().and_then(|parsed| parsed.tool.clone());
    Ok(Some(Facts { state, bytes, hash, tool, record: record.map(|it| it.row.digest()) }))
}

/// What is told of an action before anything is compared.
fn named(changed: &Changed, facts: &Facts) -> Drift {
    Drift {
        of: DriftOf::Action(changed.name.clone()),
        state: facts.state,
        path: changed.path.display().to_string(),
        message: message(&changed.name, facts.state, changed),
        difference: String::new(),
        cut: false,
        digest: None,
    }
}

/// Adds the difference, and what an acceptance of it names.
async fn compare(parts: &Parts, changed: &Changed, facts: &Facts, drift: &mut Drift) -> Result<()> {
    let kept = match &changed.accepted {
        Some(accepted) if facts.state != DriftState::Reworded => {
            let kept = parts.pins.text(&accepted.row, Part::File).await?;
            // A text that is not the one that was accepted is no text to compare with.
            kept.filter(|text| Sha256Hash::of(&[text]) == accepted.record.hash)
        }
        Some(accepted) => parts.pins.text(&accepted.row, Part::Tool).await?,
        None => None,
    };
    let unknown = changed.accepted.is_some() && kept.is_none();
    let now = match (facts.state, &changed.parsed) {
        (DriftState::Reworded, Some(parsed)) => Some(reworded(parsed)?),
        _ => facts.bytes.clone(),
    };
    let Difference { text, cut } = difference::between(kept, now).await?;
    if unknown {
        drift.message.push_str(". What was accepted was not kept, so all of it is shown as new");
    }
    (drift.difference, drift.cut, drift.digest) = (text, cut, facts.digest(&changed.name)?);
    Ok(())
}

/// What agents are told of an action now.
fn reworded(parsed: &Parsed) -> Result<Vec<u8>> {
    Ok(Tool::of(&parsed.file).text()?.into_bytes())
}

fn message(name: &ActionName, state: DriftState, changed: &Changed) -> String {
    let accept = format!("a person accepts it (aileron action accept {name})");
    match state {
        DriftState::Unaccepted => format!(
            "nobody accepted {name} here: it was there before, or was put there by hand. It does \
             not run until {accept}"
        ),
        DriftState::Changed => format!(
            "{name} is not the file that was accepted. It does not run until {accept} or installs \
             it again"
        ),
        DriftState::Reworded => format!(
            "{name} is the file that was accepted, and agents are now told something else about \
             it. It does not run until {accept}"
        ),
        DriftState::Unreadable => {
            let why = changed.problem.as_ref().map_or("it cannot be read", |it| &it.message);
            format!(
                "what stands in the place of {name} is no action: {why}. It cannot be accepted: \
                 repair it, or install {name} again"
            )
        }
        DriftState::Missing => format!(
            "the file of {name} is gone. Install it again, or let it go (aileron action accept \
             {name})"
        ),
        DriftState::RecordAltered => format!(
            "the record of {name} is not the one the runtime wrote last: somebody changed the \
             state database, or put an older one back. It does not run until {accept} or installs \
             it again"
        ),
    }
}

/// The lockfile, when it is not what it should be.
async fn of_lock(parts: &Parts) -> Result<Option<Drift>> {
    let Some(seen) = parts.lock.look().await? else { return Ok(None) };
    if seen.is_intact() {
        return Ok(None);
    }
    parts.lock.report(&seen).await;
    let (state, now, what) = match &seen.found {
        Found::Nothing => (DriftState::Missing, None, "is gone".to_owned()),
        Found::Text(text) => {
            (DriftState::Changed, Some(text.clone()), "is not what the runtime wrote".to_owned())
        }
        Found::Unreadable(why) => (DriftState::Unreadable, None, format!("cannot be read: {why}")),
    };
    let wanted = seen.wanted.text().into_bytes();
    let Difference { text, cut } = difference::between(Some(wanted), now).await?;
    let path = parts.lock.path().display();
    Ok(Some(Drift {
        of: DriftOf::Lock,
        state,
        path: path.to_string(),
        message: format!(
            "{path} {what}. It changes nothing of what runs; to have it written anew, and what is \
             there kept beside it: aileron action accept --lock"
        ),
        difference: text,
        cut,
        digest: Some(lock_digest(&seen)?),
    }))
}

/// What an acceptance of the lockfile names.
fn lock_digest(seen: &Seen) -> Result<Sha256Hash> {
    let value = serde_json::json!({
        "lock": seen.digest().to_string(),
        "wanted": Sha256Hash::of(&[seen.wanted.text().as_bytes()]).to_string(),
    });
    json::digest("aileron/drift/v1", &value)
}

//! The Hub: what publishers offer, from a copy of its repository. The copy is fetched whole, as
//! one archive, and queries answer from it; a repository that changes does so under nobody's feet.

use std::{path::Path, sync::Arc, time::Duration};

use aileron_contract::{
    Error, Reason, Result, Timestamp, limits,
    names::Fqn,
    publishers::{HubCopy, HubEntry, HubFound, HubKind, HubListing, HubQuery},
    vault,
};
use tokio::sync::Mutex;

use super::{
    blocking,
    fetch::{Fetcher, Listed},
    sealed::{Kept, Sealed},
    sources::Sources,
};

mod archive;
mod catalogue;
pub(super) mod confirm;
mod conflicts;
mod copy;
pub(super) mod decide;
pub(super) mod keys;
mod place;

use catalogue::Catalogue;
use copy::Stored;
use place::Place;

/// The Hub as this runtime knows it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hub(Arc<Inner>);

struct Inner {
    /// None when the configuration turned the Hub off.
    place: Option<Place>,
    cache: Sealed,
    fetcher: Fetcher,
    sources: Arc<Sources>,
    clock: fn() -> Timestamp,
    /// Held to read and to swap, never while the Hub is asked.
    state: Mutex<State>,
    /// Held while the Hub is asked: who comes at the same time waits for the same answer.
    renewing: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Was the kept copy looked at? Not while the vault is locked, which says whether it counts.
    looked: bool,
    catalogue: Option<Arc<Catalogue>>,
    paused: Option<Pause>,
}

/// The Hub was asked: not again before then, unless a person wants it.
struct Pause {
    until: Timestamp,
    /// Why nothing came of it.
    refused: Option<Error>,
}

/// Where the copy is kept, below the cache.
const FILE: &str = "hub.json";

/// When the Hub itself is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// When the copy is old.
    Old,
    /// Whatever its age, and not during a pause.
    Paced,
    /// Always: a person wants it.
    Now,
}

/// The copy at one moment.
#[derive(Clone)]
pub(super) struct View {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) copy: HubCopy,
}

impl Hub {
    /// Opens no connection and reads nothing yet. `config_invalid` when the address is no
    /// repository's.
    pub(super) fn new(
        home: &Path,
        fetcher: Fetcher,
        sources: Arc<Sources>,
        vault: vault::Handle,
        clock: fn() -> Timestamp,
    ) -> Result<Self> {
        let with_token = fetcher.with_token();
        let place = sources.hub.as_ref().map(|url| Place::of(url, &sources, with_token));
        Ok(Self(Arc::new(Inner {
            place: place.transpose()?,
            cache: Sealed::new(home.join("cache"), vault),
            fetcher,
            sources,
            clock,
            state: Mutex::default(),
            renewing: Mutex::default(),
        })))
    }

    /// The copy, renewed when it is old.
    pub(super) async fn view(&self) -> Result<View> {
        self.0.view(Ask::Old).await
    }

    /// The copy, renewed whatever its age. Who is no person has it renewed once in a while: until
    /// then the answer is the copy as it is, or why there is none.
    pub(super) async fn refresh(&self, person: bool) -> Result<HubCopy> {
        let ask = if person { Ask::Now } else { Ask::Paced };
        self.0.view(ask).await.map(|view| view.copy)
    }
}

#[cfg(test)]
impl Hub {
    /// As if the Hub were being asked.
    pub(super) async fn fetching(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.renewing.lock().await
    }
}

impl View {
    pub(super) fn listing(&self, query: &HubQuery) -> Result<HubListing> {
        let text = query.text.as_deref().unwrap_or_default();
        if text.len() > limits::HUB_QUERY {
            let text = format!("a search is at most {} bytes long", limits::HUB_QUERY);
            return Err(Error::new(Reason::InvalidRequest, text));
        }
        Ok(HubListing {
            entries: self.catalogue.search(query.kind, text),
            problems: self.catalogue.problems.clone(),
            copy: self.copy.clone(),
        })
    }

    pub(super) fn entry(&self, fqn: &Fqn, kind: Option<HubKind>) -> Result<&HubEntry> {
        self.catalogue.find(fqn, kind).ok_or_else(|| {
            let what = kind.map_or("entry", HubKind::text);
            let text = format!(
                "the Hub lists no {what} named {fqn}: look for it with `aileron hub search`, or ask \
                 for a newer copy with `aileron hub refresh`"
            );
            Error::new(Reason::NotFound, text)
        })
    }

    pub(super) fn found(&self, fqn: &Fqn, kind: Option<HubKind>) -> Result<HubFound> {
        let entry = self.entry(fqn, kind)?.clone();
        Ok(HubFound { entry, copy: self.copy.clone() })
    }
}

impl State {
    /// The answer, when the Hub need not be asked for it.
    fn answer(&self, ask: Ask, now: Timestamp) -> Option<Result<View>> {
        let fresh = self.catalogue.as_ref().filter(|known| known.copy.fresh(now));
        match (ask, fresh) {
            (Ask::Now, _) => return None,
            (Ask::Old, Some(catalogue)) => return Some(Ok(shown(catalogue, now, None))),
            _ => {}
        }
        let paused = self.paused.as_ref().filter(|pause| now < pause.until)?;
        match (&self.catalogue, &paused.refused) {
            (Some(catalogue), refused) => Some(Ok(shown(catalogue, now, refused.as_ref()))),
            (None, Some(refused)) => Some(Err(refused.clone())),
            (None, None) => None,
        }
    }

    /// Takes up what came of asking, and begins a pause.
    fn take(&mut self, renewed: Result<Catalogue>, now: Timestamp) -> Result<Arc<Catalogue>> {
        let until = after(now, limits::HUB_PAUSE);
        self.paused = Some(Pause { until, refused: renewed.as_ref().err().cloned() });
        let catalogue = Arc::new(renewed?);
        self.catalogue = Some(Arc::clone(&catalogue));
        Ok(catalogue)
    }
}

impl Inner {
    async fn view(&self, ask: Ask) -> Result<View> {
        let Some(place) = &self.place else {
            let text = "the Hub is turned off by this runtime's configuration (hub.url); packages \
                        are installed by their own names all the same";
            return Err(Error::new(Reason::HubDisabled, text));
        };
        self.look(place).await?;
        if let Some(answer) = self.answer(ask).await {
            return answer;
        }
        let _renewing = self.renewing.lock().await;
        // Somebody else may have asked meanwhile.
        if let Some(answer) = self.answer(ask).await {
            return answer;
        }
        let known = self.state.lock().await.catalogue.clone();
        let renewed = self.renewed(place, known.as_deref(), (self.clock)()).await;
        let now = (self.clock)();
        match (self.state.lock().await.take(renewed, now), known) {
            (Ok(renewed), _) => Ok(shown(&renewed, now, None)),
            (Err(error), Some(known)) if ask == Ask::Old => {
                tracing::warn!(%error, "the copy of the Hub could not be renewed");
                Ok(shown(&known, now, Some(&error)))
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn answer(&self, ask: Ask) -> Option<Result<View>> {
        self.state.lock().await.answer(ask, (self.clock)())
    }

    /// Takes up the kept copy, unless a newer one is known.
    async fn look(&self, place: &Place) -> Result<()> {
        if self.state.lock().await.looked {
            return Ok(());
        }
        let content = match self.cache.read(FILE, limits::HUB_COPY).await? {
            Kept::Locked => return Ok(()),
            kept => kept.content(),
        };
        let (source, sources) = (place.source.clone(), Arc::clone(&self.sources));
        let stored = blocking(move || {
            let stored = Stored::read(&content?).filter(|stored| stored.source == source)?;
            Some(Arc::new(Catalogue::of(stored, &sources)))
        })
        .await?;
        let mut state = self.state.lock().await;
        if !std::mem::replace(&mut state.looked, true) {
            state.catalogue = state.catalogue.take().or(stored);
        }
        Ok(())
    }

    /// Asks the source, and keeps its answer in the file.
    async fn renewed(
        &self,
        place: &Place,
        known: Option<&Catalogue>,
        now: Timestamp,
    ) -> Result<Catalogue> {
        let etag = known.and_then(|known| known.copy.etag.clone());
        let answer = self.fetcher.tree(place.request(etag)).await.map_err(|error| {
            let advice = format!(
                "the Hub {} could not be read: check the network and hub.url of the configuration",
                place.source
            );
            error.told(Reason::HubUnreachable, &advice)
        })?;
        let mut catalogue = match (answer, known) {
            (Listed::Same, Some(known)) => known.clone(),
            (Listed::Same, None) => {
                let text = format!("{} says that nothing changed since nothing", place.source);
                return Err(Error::new(Reason::HubUnreachable, text));
            }
            (Listed::Fresh { body, etag, .. }, _) => {
                let (source, sources) = (place.source.clone(), Arc::clone(&self.sources));
                blocking(move || {
                    let unpacked = archive::unpack(&body)?;
                    let stored = Stored::new(source, unpacked, etag, now);
                    Ok::<_, Error>(Catalogue::of(stored, &sources))
                })
                .await??
            }
        };
        catalogue.copy.checked_at = now;
        self.keep(&catalogue.copy).await?;
        Ok(catalogue)
    }

    /// Without its file the copy serves until the next start, as while the vault is locked.
    async fn keep(&self, copy: &Stored) -> Result<()> {
        let text = copy.text().map_err(Error::internal)?;
        if let Err(error) = self.cache.write(FILE, text).await? {
            let file = self.cache.path(FILE);
            tracing::warn!(%error, file = %file.display(), "the copy of the Hub is not kept");
        }
        Ok(())
    }
}

fn shown(catalogue: &Arc<Catalogue>, now: Timestamp, warning: Option<&Error>) -> View {
    let stored = &catalogue.copy;
    let copy = HubCopy {
        source: stored.source.clone(),
        commit: stored.commit.clone(),
        fetched_at: stored.fetched_at,
        checked_at: stored.checked_at,
        age_seconds: stored.age(now).as_secs(),
        warning: warning.map(|error| error.public().to_owned()),
    };
    View { catalogue: Arc::clone(catalogue), copy }
}

fn after(now: Timestamp, length: Duration) -> Timestamp {
    now.checked_add(length).unwrap_or(Timestamp::MAX)
}

//! The places of a listener. Their number is bounded, and nobody keeps one by saying nothing:
//! when all are taken, the connection that has been idle longest makes room for the next.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// While every connection is at work, they are looked over again after this.
const LOOK: Duration = Duration::from_millis(50);

/// All places, free and taken.
pub(super) struct Places {
    free: Arc<Semaphore>,
    room: Arc<Room>,
}

/// Who sits where.
#[derive(Default)]
struct Room {
    seats: Mutex<BTreeMap<u64, Arc<Seat>>>,
    /// Counts what happens, so that idleness can be compared.
    moments: AtomicU64,
}

struct Seat {
    /// Requests under way, until the last byte of their answers.
    at_work: AtomicUsize,
    /// The moment since which there is none.
    idle_since: AtomicU64,
    leave: CancellationToken,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), room: Arc::default() }
    }

    /// A place, free or made free. None once the places are closed.
    pub(super) async fn take(&self) -> Option<Place> {
        loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                return Some(self.seat(permit));
            }
            self.send_away_the_idlest();
            match timeout(LOOK, Arc::clone(&self.free).acquire_owned()).await {
                Ok(Ok(permit)) => return Some(self.seat(permit)),
                Ok(Err(_closed)) => return None,
                Err(_elapsed) => {}
            }
        }
    }

    fn seat(&self, permit: OwnedSemaphorePermit) -> Place {
        let number = self.room.moment();
        let seat = Arc::new(Seat {
            at_work: AtomicUsize::new(0),
            idle_since: AtomicU64::new(number),
            leave: CancellationToken::new(),
        });
        self.room.seats().insert(number, Arc::clone(&seat));
        Place { number, seat, room: Arc::clone(&self.room), _permit: permit }
    }

    fn send_away_the_idlest(&self) {
        let seats = self.room.seats();
        // One that was told already is on its way out.
        if seats.values().any(|seat| seat.leave.is_cancelled()) {
            return;
        }
        let idle = seats.values().filter(|seat| seat.at_work.load(Ordering::SeqCst) == 0);
        if let Some(seat) = idle.min_by_key(|seat| seat.idle_since.load(Ordering::SeqCst)) {
            seat.leave.cancel();
        }
    }
}

impl Room {
    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn seats(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place; free again when dropped.
pub(super) struct Place {
    number: u64,
    seat: Arc<Seat>,
    room: Arc<Room>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Returns when somebody else needs the place more.
    pub(super) async fn is_needed(&self) {
        self.seat.leave.cancelled().await;
    }

    pub(super) fn worker(&self) -> Worker {
        Worker { seat: Arc::clone(&self.seat), room: Arc::clone(&self.room) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.seats().remove(&self.number);
    }
}

/// Tells when the connection is at work.
#[derive(Clone)]
pub(super) struct Worker {
    seat: Arc<Seat>,
    room: Arc<Room>,
}

impl Worker {
    /// At work until the value is dropped.
    pub(super) fn begin(&self) -> Work {
        self.seat.at_work.fetch_add(1, Ordering::SeqCst);
        Work(self.clone())
    }
}

/// One request, until the last byte of its answer.
pub(super) struct Work(Worker);

impl Drop for Work {
    fn drop(&mut self) {
        let Worker { seat, room } = &self.0;
        seat.idle_since.store(room.moment(), Ordering::SeqCst);
        seat.at_work.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    fn told(place: &Place) -> bool {
        place.seat.leave.is_cancelled()
    }

    #[tokio::test]
    async fn the_connection_that_was_idle_longest_makes_room() {
        let places = Places::new(3);
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push(places.take().await.unwrap());
        }
        // The first has just done something, the second is at work.
        drop(taken[0].worker().begin());
        let work = taken[1].worker().begin();
        let mut next = Box::pin(places.take());
        assert!(matches!(futures::poll!(next.as_mut()), Poll::Pending));
        assert_eq!(taken.iter().map(told).collect::<Vec<_>>(), [false, false, true]);
        taken[2].is_needed().await;
        taken.truncate(2);
        let third = next.as_mut().await.unwrap();
        assert!(!told(&third));
        drop(work);
    }

    #[tokio::test]
    async fn nobody_at_work_is_sent_away_and_the_next_waits_for_the_first_who_is_done() {
        let places = Places::new(2);
        let taken = [places.take().await.unwrap(), places.take().await.unwrap()];
        let mut work: Vec<_> = taken.iter().map(|place| place.worker().begin()).collect();
        assert!(timeout(LOOK * 2, places.take()).await.is_err());
        assert!(!taken.iter().any(told));
        work.remove(1);
        assert!(timeout(LOOK * 2, places.take()).await.is_err());
        assert_eq!(taken.iter().map(told).collect::<Vec<_>>(), [false, true]);
        let [first, second] = taken;
        drop(second);
        assert!(places.take().await.is_some());
        drop(first);
    }
}

//! The clock that interrupts guests: a thread of its own, because a runtime full of spinning
//! guests could not advance it. It sleeps while no guest runs, and a little later than that: calls
//! follow each other, and waking it costs the first one more than a tick or two costs all.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use wasmtime::Engine;

/// How often guests are interrupted. A guest that uses more than a tick or two of processor time
/// without pause is moved off the runtime's threads.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Ticks without any guest until it sleeps.
const IDLE: u32 = 10;

pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    guests: usize,
    /// It waits to be woken.
    asleep: bool,
    stopped: bool,
}

/// Keeps the clock going; held by every running guest.
pub(crate) struct Ticking(Arc<Shared>);

impl Ticker {
    pub(crate) fn start(engine: Engine) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let thread = thread::Builder::new().name("aileron-ticker".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.tick(&engine)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(crate) fn guest(&self) -> Ticking {
        let asleep = {
            let mut state = self.shared.lock();
            state.guests = state.guests.saturating_add(1);
            std::mem::take(&mut state.asleep)
        };
        if asleep {
            self.shared.changed.notify_one();
        }
        Ticking(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the guest clock ended with a panic");
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.guests = state.guests.saturating_sub(1);
    }
}

impl Shared {
    fn tick(&self, engine: &Engine) {
        let mut idle = 0;
        let mut state = self.lock();
        while !state.stopped {
            idle = if state.guests == 0 { idle + 1 } else { 0 };
            if idle > IDLE {
                state.asleep = true;
                state = self
                    .changed
                    .wait_while(state, |state| state.asleep && !state.stopped)
                    .unwrap_or_else(PoisonError::into_inner);
                idle = 0;
                continue;
            }
            drop(state);
            thread::sleep(TICK);
            engine.increment_epoch();
            state = self.lock();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stops_when_its_owner_goes_even_with_guests_left() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        let _guest = ticker.guest();
        drop(ticker);
    }
}

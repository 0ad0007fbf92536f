//! Drives one guest: polls it, answers its requests, and moves it out of the way when it spins.

use std::{
    future::poll_fn,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    guest::{Ask, Finished},
    network::Network,
};

/// A guest under way. None when it broke the engine.
type Guest = BoxFuture<'static, Option<Finished>>;

enum Step {
    Finished(Option<Finished>),
    Asked(Ask),
    Busy,
}

/// Runs `guest` to its end on the caller's task, which costs a quick guest nothing. One that
/// keeps the processor longer than a tick goes to a thread of its own: the runtime's few threads
/// are for everybody, and the system shares the processor fairly between threads. The network is
/// always called here, on the caller's task. Dropping the future ends the guest at the next tick.
pub(crate) async fn drive(
    guest: BoxFuture<'static, Finished>,
    busy: &AtomicBool,
    mut asks: mpsc::Receiver<Ask>,
    network: &dyn Network,
    threads: &TaskTracker,
) -> Option<Finished> {
    let mut guest: Guest = guest.map(Some).boxed();
    let mut moved = false;
    loop {
        match step(&mut guest, busy, &mut asks, moved).await {
            Step::Finished(finished) => return finished,
            Step::Asked(Ask { request, reply }) => {
                // A guest that was dropped meanwhile does not miss the answer.
                let _unheard = reply.send(network.http(request).await).is_err();
            }
            Step::Busy => {
                guest = on_its_own_thread(guest, threads);
                moved = true;
            }
        }
    }
}

async fn step(
    guest: &mut Guest,
    busy: &AtomicBool,
    asks: &mut mpsc::Receiver<Ask>,
    moved: bool,
) -> Step {
    poll_fn(|context| {
        if let Poll::Ready(finished) = guest.poll_unpin(context) {
            return Poll::Ready(Step::Finished(finished));
        }
        if let Poll::Ready(Some(ask)) = asks.poll_recv(context) {
            return Poll::Ready(Step::Asked(ask));
        }
        if !moved && busy.load(Ordering::Relaxed) {
            return Poll::Ready(Step::Busy);
        }
        Poll::Pending
    })
    .await
}

fn on_its_own_thread(guest: Guest, threads: &TaskTracker) -> Guest {
    let stop = CancellationToken::new();
    let stop_on_drop = stop.clone().drop_guard();
    let runtime = Handle::current();
    // What the guest logs from now on still says whose it is.
    let guest = guest.in_current_span();
    let thread = threads.spawn_blocking(move || {
        runtime.block_on(async { stop.run_until_cancelled(guest).await.flatten() })
    });
    async move {
        let _stop_on_drop = stop_on_drop;
        match thread.await {
            Ok(finished) => finished,
            Err(error) => {
                tracing::error!(%error, "a guest's thread ended without a result");
                None
            }
        }
    }
    .boxed()
}

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// Stops the world at the `n`th point, as a crash would.
#[derive(Default)]
pub(crate) struct Fuse {
    /// Points left before the stop; 0 never stops.
    left: AtomicU32,
    pub(crate) blown: Notify,
}

impl Fuse {
    pub(crate) fn arm(&self, points: u32) {
        self.left.store(points, Ordering::SeqCst);
    }

    /// A point at which a crash may come.
    pub(crate) async fn point(&self) {
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left != u32::MAX && left != 0).then(|| if left == 1 { u32::MAX } else { left - 1 })
        });
        if before == Ok(1) || self.left.load(Ordering::SeqCst) == u32::MAX {
            self.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

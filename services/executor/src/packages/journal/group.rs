//! Many changes that do not depend on one another, committed together: one write to the database
//! before the log is told and one after, and the log's answers awaited side by side.

use std::path::PathBuf;

use aileron_contract::{Context, Error, Reason, Result};
use aileron_store::files;
use futures::future::join_all;

use super::{Journal, blocking};
use crate::packages::pins::{Move, Row};

/// A file that is to be put in its place.
struct Placed {
    path: PathBuf,
    content: Vec<u8>,
    mode: u32,
}

impl Journal {
    /// Makes each change, or not, whatever becomes of the others; answers in their order. Each
    /// counts from its event on. An error of the whole: nothing was changed.
    pub(in crate::packages) async fn commit_group(
        &self,
        context: &Context,
        moves: Vec<Move>,
    ) -> Result<Vec<Result<()>>> {
        let mut files = Vec::with_capacity(moves.len());
        for change in &moves {
            let file = self.file_of(&change.row)?;
            files.push(file.map(|(path, mode, content)| Placed { path, content, mode }));
        }
        self.try_out_together(&files).await?;
        let rows: Vec<Row> = moves.iter().map(|change| change.row.clone()).collect();
        self.pins.stage(&rows).await?;
        let mut telling = Vec::with_capacity(moves.len());
        for change in &moves {
            telling.push(self.pins.name(context, change));
        }
        let mut told = join_all(telling).await;
        let counting = |at: usize| matches!(told.get(at), Some(Ok(())));
        let (rows, files): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .zip(files)
            .enumerate()
            .filter_map(|(at, pair)| counting(at).then_some(pair))
            .unzip();
        if let Err(error) = self.place_together(&rows, files).await {
            for answer in told.iter_mut().filter(|answer| answer.is_ok()) {
                *answer = Err(error.clone());
            }
        }
        Ok(told)
    }

    /// As `try_out` for one file: there is room for all of them, and none of them would take the
    /// place of a folder. Leaves nothing behind.
    async fn try_out_together(&self, files: &[Option<Placed>]) -> Result<()> {
        let paths: Vec<PathBuf> = files.iter().flatten().map(|file| file.path.clone()).collect();
        let Some(first) = paths.first().cloned() else { return Ok(()) };
        let content: Vec<u8> =
            files.iter().flatten().flat_map(|file| &file.content).copied().collect();
        let tried = blocking(move || {
            super::try_out(&first, &content)?;
            match paths.iter().find(|path| path.is_dir()) {
                Some(_) => Err(std::io::Error::from(std::io::ErrorKind::IsADirectory)),
                None => Ok(()),
            }
        });
        tried.await?.map_err(|cause| {
            let text = format!(
                "the files could not be written below {}: check the disk's space and the folder's \
                 owner; nothing was changed",
                self.home.display()
            );
            Error::new(Reason::StoreUnwritable, text).caused_by(cause)
        })
    }

    async fn place_together(&self, rows: &[Row], files: Vec<Option<Placed>>) -> Result<()> {
        let files: Vec<Placed> = files.into_iter().flatten().collect();
        let written = blocking(move || {
            let files: Vec<_> = files
                .iter()
                .map(|Placed { path, content, mode }| files::NewFile { path, content, mode: *mode })
                .collect();
            for folder in files.iter().filter_map(|file| file.path.parent()) {
                files::create_private_dir(folder)?;
            }
            files::write_atomic_together(&files)
        });
        written.await?.map_err(|cause| {
            let text = format!(
                "the files could not be written below {}, and are written at the next start: \
                 check the disk's space and the folder's owner, then restart the daemon",
                self.home.display()
            );
            Error::new(Reason::StoreUnwritable, text).caused_by(cause)
        })?;
        self.pins.settle_all(rows).await?;
        self.follow().await;
        Ok(())
    }
}

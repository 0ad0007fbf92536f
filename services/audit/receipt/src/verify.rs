//! Is this log what it was? Verification of all its lines against its newest checkpoint and,
//! for those who kept one elsewhere, against an earlier checkpoint.
//!
//! The newest checkpoint alone shows damage, but whoever holds the log's key can rewrite the log
//! and sign it anew. Against a checkpoint kept elsewhere that shows too: every edit, deletion,
//! reordering, truncation and rewrite of what it covers.

use std::fmt;

use crate::{
    Checkpoint,
    merkle::{Tree, leaf_hash},
};

mod directory;
pub use directory::{DirectoryError, directory};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Lines read.
    pub lines: u64,
    /// Lines that the newest checkpoint covers.
    pub covered: u64,
    /// Lines that the checkpoint kept elsewhere covers, when one was given.
    pub kept: Option<u64>,
    /// Lines behind the newest checkpoint: a log that is being written has some for a moment,
    /// one at rest has none.
    pub uncovered: u64,
    /// The first of them, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
}

/// Problems listed; a log with that many needs no further ones.
pub const PROBLEMS_MAX: usize = 20;

/// What to do when nothing was kept.
const ADVICE: &str = "Without a checkpoint kept elsewhere, whoever holds the log's key could have \
                      rewritten it unnoticed. Keep one (`aileron audit checkpoint > FILE`) on \
                      another machine or on paper, and give it with --checkpoint FILE the next \
                      time.";

/// One thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("lines are missing: the {checkpoint} checkpoint covers {size}, the log holds {found}")]
    Truncated { checkpoint: Which, size: u64, found: u64 },
    #[error(
        "the first {size} lines are not those that the {checkpoint} checkpoint signs: a line was \
         changed, removed, added or moved"
    )]
    Changed { checkpoint: Which, size: u64 },
    #[error(
        "the log's newest checkpoint covers {newest} lines, the one kept elsewhere {kept}: the \
         log was set back"
    )]
    SetBack { newest: u64, kept: u64 },
    #[error("{count} lines at the end are covered by no checkpoint")]
    Uncovered { count: u64 },
    #[error("the last line of {file} is torn: its line feed is missing")]
    Torn { file: String },
    #[error("the log's newest checkpoint does not hold: {0}")]
    Checkpoint(String),
    #[error("{path} is missing")]
    Missing { path: String },
    #[error("{path} is not what the log's lines make it")]
    Differs { path: String },
}

/// Which checkpoint is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Newest,
    Kept,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Newest => "newest",
            Self::Kept => "kept",
        })
    }
}

impl Report {
    /// Is everything as it should be?
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// What a person should do so that the next verification shows more; `None` when a kept
    /// checkpoint was given.
    pub fn advice(&self) -> Option<&'static str> {
        self.kept.is_none().then_some(ADVICE)
    }
}

/// Verifies a log given as its lines, in order and without their line feeds.
pub fn log<L: AsRef<[u8]>>(
    lines: impl IntoIterator<Item = L>,
    newest: &Checkpoint,
    kept: Option<&Checkpoint>,
) -> Report {
    let mut verifier = Verifier::new(Some(newest.clone()), kept.cloned());
    for line in lines {
        verifier.push(line.as_ref());
    }
    verifier.finish()
}

/// Verifies leaf by leaf, in bounded memory.
#[derive(Debug)]
pub(crate) struct Verifier {
    tree: Tree,
    newest: Option<Checkpoint>,
    kept: Option<Checkpoint>,
    problems: Vec<Problem>,
}

impl Verifier {
    pub(crate) fn new(newest: Option<Checkpoint>, kept: Option<Checkpoint>) -> Self {
        let mut verifier = Self { tree: Tree::default(), newest, kept, problems: Vec::new() };
        verifier.compare();
        verifier
    }

    pub(crate) fn push(&mut self, leaf: &[u8]) -> Vec<crate::merkle::FullTile> {
        let full = self.tree.push(leaf_hash(leaf));
        self.compare();
        full
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// A checkpoint that the log wrote while its lines were being read.
    pub(crate) fn replace_newest(&mut self, newer: Checkpoint) {
        self.newest = Some(newer);
        self.compare();
    }

    pub(crate) fn finish(mut self) -> Report {
        let lines = self.tree.size();
        let sizes =
            (self.newest.as_ref().map(Checkpoint::size), self.kept.as_ref().map(Checkpoint::size));
        if let (Some(newest), Some(kept)) = sizes
            && newest < kept
        {
            self.problem(Problem::SetBack { newest, kept });
        }
        for (checkpoint, size) in [(Which::Newest, sizes.0), (Which::Kept, sizes.1)] {
            if let Some(size) = size.filter(|size| *size > lines) {
                self.problem(Problem::Truncated { checkpoint, size, found: lines });
            }
        }
        let covered = sizes.0.unwrap_or(0);
        let uncovered = lines.saturating_sub(covered);
        if uncovered > 0 {
            self.problem(Problem::Uncovered { count: uncovered });
        }
        Report { lines, covered, kept: sizes.1, uncovered, problems: self.problems }
    }

    fn compare(&mut self) {
        let size = self.tree.size();
        let mut wrong = Vec::new();
        for (checkpoint, signed) in
            [(Which::Newest, self.newest.as_ref()), (Which::Kept, self.kept.as_ref())]
        {
            let differs =
                |signed: &Checkpoint| signed.size() == size && signed.root() != self.tree.root();
            if signed.is_some_and(differs) {
                wrong.push(Problem::Changed { checkpoint, size });
            }
        }
        for problem in wrong {
            self.problem(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::tests::TestKey;

    fn lines(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|at| format!("{{\"n\":{at}}}").into_bytes()).collect()
    }

    /// What somebody who holds the key would sign for these lines.
    fn signed(key: &TestKey, lines: &[Vec<u8>]) -> Checkpoint {
        let mut tree = Tree::default();
        for line in lines {
            tree.push(leaf_hash(line));
        }
        Checkpoint::open(key.sign(&tree).as_bytes(), &key.public()).unwrap()
    }

    #[test]
    fn an_honest_log_is_sound_and_without_a_kept_checkpoint_comes_with_advice() {
        let key = TestKey::new(1);
        let all = lines(700);
        let kept = signed(&key, &all[..300]);
        let report = log(&all, &signed(&key, &all), Some(&kept));
        assert!(report.is_sound());
        assert_eq!((report.lines, report.covered, report.kept), (700, 700, Some(300)));
        assert_eq!(report.advice(), None);
        let report = log(&all, &signed(&key, &all), None);
        assert!(report.is_sound());
        assert!(report.advice().unwrap().contains("--checkpoint"));
    }

    #[test]
    fn a_rewritten_and_newly_signed_log_shows_against_a_kept_checkpoint() {
        let key = TestKey::new(1);
        let all = lines(50);
        let kept = signed(&key, &all[..40]);
        let mut edited = all.clone();
        edited[7] = b"{}".to_vec();
        let mut swapped = all.clone();
        swapped.swap(3, 4);
        let mut removed = all.clone();
        removed.remove(0);
        let cut = all[..39].to_vec();
        for forged in [edited, swapped, removed, cut, vec![]] {
            let again = signed(&key, &forged);
            assert!(log(&forged, &again, None).is_sound(), "the key holder can do that");
            assert!(!log(&forged, &again, Some(&kept)).is_sound());
        }
    }

    #[test]
    fn lines_behind_the_checkpoint_and_a_set_back_checkpoint_are_told() {
        let key = TestKey::new(1);
        let all = lines(10);
        let report = log(&all, &signed(&key, &all[..8]), None);
        assert_eq!(report.problems, [Problem::Uncovered { count: 2 }]);
        let report = log(&all, &signed(&key, &all[..8]), Some(&signed(&key, &all)));
        assert!(report.problems.contains(&Problem::SetBack { newest: 8, kept: 10 }));
    }

    proptest! {
        #[test]
        fn every_edit_deletion_insertion_and_swap_is_detected(
            count in 1_usize..80, at in any::<prop::sample::Index>(),
            other in any::<prop::sample::Index>(), how in 0_u8..4
        ) {
            let key = TestKey::new(1);
            let all = lines(count);
            let newest = signed(&key, &all);
            let mut forged = all.clone();
            let (at, other) = (at.index(count), other.index(count));
            match how {
                0 => forged[at].push(b' '),
                1 => drop(forged.remove(at)),
                2 => forged.insert(at, b"{}".to_vec()),
                _ => forged.swap(at, other),
            }
            prop_assert_eq!(log(&forged, &newest, None).is_sound(), forged == all);
        }
    }
}

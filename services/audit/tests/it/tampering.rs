//! On copies of a log: whatever a stranger or the key's holder changes shows against a kept
//! checkpoint.

use std::{fs, path::Path, sync::OnceLock};

use aileron_receipt::{
    Checkpoint, VerifierKey, body,
    merkle::{Tree, leaf_hash},
};
use proptest::prelude::*;
use signed_note::{Note, Signature, StandardSigner};
use tempfile::TempDir;

use crate::support::{Fixture, copy, kept, key, log_files, public_files, verify};

struct Sample {
    home: TempDir,
    key: VerifierKey,
    kept: Checkpoint,
}

/// A log of 530 lines, of which the first 300 are covered by a kept checkpoint.
fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        // A thread of its own: the caller may be in a runtime already.
        std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(make_sample()))
            .join()
            .unwrap()
    })
}

async fn make_sample() -> Sample {
    let log = Fixture::new().await;
    log.append(300).await;
    let log = log.reopen().await.unwrap();
    let (folder, key) = (log.folder(), log.key());
    let kept = kept(&folder);
    log.append(230).await;
    Sample { home: log.stop().await, key, kept }
}

fn copied() -> (TempDir, &'static Sample) {
    let sample = sample();
    let target = TempDir::new().unwrap();
    copy(&sample.home.path().join("audit"), target.path());
    (target, sample)
}

#[test]
fn an_untouched_copy_is_sound() {
    let (folder, sample) = copied();
    let report = verify(folder.path(), &sample.key, Some(&sample.kept));
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.lines, report.covered, report.kept), (530, 530, Some(300)));
}

fn lines_of(folder: &Path) -> (std::path::PathBuf, Vec<Vec<u8>>) {
    let file = log_files(folder).pop().unwrap();
    let text = fs::read(&file).unwrap();
    (file, text.split_inclusive(|c| *c == b'\n').map(<[u8]>::to_vec).collect())
}

/// Rewrites the log as somebody would who holds its key: lines, tiles and checkpoint agree.
fn rewrite(folder: &Path, lines: &[Vec<u8>], key: &str) {
    let (file, _) = lines_of(folder);
    fs::write(file, lines.concat()).unwrap();
    let mut tree = Tree::default();
    for line in lines {
        tree.push(leaf_hash(line.strip_suffix(b"\n").unwrap()));
    }
    let origin = crate::support::ORIGIN;
    let text = body(origin, tree.size(), tree.root());
    let unsigned: &[Signature] = &[];
    let mut note = Note::new(text.as_bytes(), unsigned).unwrap();
    note.add_sigs(&[&StandardSigner::new(key.trim()).unwrap()]).unwrap();
    fs::write(folder.join("checkpoint"), note.to_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewrite_signed_with_the_logs_own_key_shows_against_the_kept_checkpoint() {
    let (folder, sample) = copied();
    let secret = fs::read_to_string(sample.home.path().join("audit/log.key")).unwrap();
    let (_, lines) = lines_of(folder.path());
    let mut edited = lines.clone();
    edited[7] = b"{}\n".to_vec();
    let mut swapped = lines.clone();
    swapped.swap(10, 11);
    let mut removed = lines.clone();
    removed.remove(0);
    let cut = lines[..299].to_vec();
    for forged in [edited, swapped, removed, cut] {
        // The forger also derives new tiles: the log itself does that when it is opened.
        let home = TempDir::new().unwrap();
        let target = home.path().join("audit");
        fs::create_dir(&target).unwrap();
        copy(folder.path(), &target);
        fs::remove_dir_all(target.join("tile")).unwrap();
        fs::write(target.join("log.key"), &secret).unwrap();
        rewrite(&target, &forged, &secret);
        let log = Fixture::of(home).await.unwrap();
        let home = log.stop().await;
        assert!(verify(&target, &sample.key, None).is_sound(), "undetectable without one kept");
        assert!(!verify(&target, &sample.key, Some(&sample.kept)).is_sound());
        drop(home);
    }
}

#[test]
fn another_logs_key_does_not_verify_this_one() {
    let (folder, _) = copied();
    let other = TempDir::new().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let other = runtime.block_on(async { Fixture::of(other).await.unwrap().stop().await });
    let report = verify(folder.path(), &key(&other.path().join("audit")), None);
    assert!(!report.is_sound());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_byte_flipped_cut_added_or_swapped_in_any_file_of_a_copy_shows(
        file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0_u8..8,
        how in 0_u8..5
    ) {
        let (folder, sample) = copied();
        let files = public_files(folder.path());
        // Half of the cases in the lines themselves: they are what matters.
        let path = if how % 2 == 0 { log_files(folder.path())[0].clone() } else { file.get(&files).clone() };
        let before = fs::read(&path).unwrap();
        let at = at.index(before.len());
        let mut after = before.clone();
        match how {
            0 | 1 => after[at] ^= 1 << bit,
            2 => drop(after.remove(at)),
            3 => after.truncate(at),
            _ => after.swap(at, (at + 1) % before.len()),
        }
        fs::write(&path, &after).unwrap();
        let report = verify(folder.path(), &sample.key, Some(&sample.kept));
        prop_assert_eq!(report.is_sound(), before == after, "{:?} {:?}", path, report);
    }
}

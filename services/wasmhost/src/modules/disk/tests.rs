use super::*;
use crate::engine;

const HASH: Sha256Hash = Sha256Hash::new([7; 32]);

fn disk(folder: &Path, key: u8) -> (Disk, Engine) {
    let engine = engine::engine().unwrap();
    let options = Options { cache_dir: folder.into(), cache_key: Secret::new(vec![key; 32]) };
    (Disk::open(options, &engine).unwrap(), engine)
}

fn module(engine: &Engine) -> Module {
    Module::new(engine, wat::parse_str("(module (func (export \"f\")))").unwrap()).unwrap()
}

#[test]
fn a_saved_module_loads_again() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, engine) = disk(folder.path(), 1);
    assert!(disk.load(&engine, &HASH).is_none());
    disk.save(&module(&engine), &HASH).unwrap();
    assert!(disk.load(&engine, &HASH).unwrap().get_export("f").is_some());
}

#[test]
fn a_file_with_one_changed_bit_is_never_run_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, engine) = disk(folder.path(), 1);
    for position in [0, CODE, CODE + 100] {
        disk.save(&module(&engine), &HASH).unwrap();
        let path = disk.path(&HASH);
        let mut bytes = fs::read(&path).unwrap();
        bytes[position] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(disk.load(&engine, &HASH).is_none());
        assert!(!path.exists());
    }
}

#[test]
fn a_file_under_another_name_key_or_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, engine) = disk(folder.path(), 1);
    ours.save(&module(&engine), &HASH).unwrap();
    let bytes = fs::read(ours.path(&HASH)).unwrap();

    let other = Sha256Hash::new([8; 32]);
    fs::write(ours.path(&other), &bytes).unwrap();
    assert!(ours.load(&engine, &other).is_none(), "another module's code");

    let (theirs, _) = disk(folder.path(), 2);
    assert!(theirs.load(&engine, &HASH).is_none(), "another home's key");

    for len in [0, 5, CODE, bytes.len() - 1] {
        fs::write(ours.path(&HASH), &bytes[..len]).unwrap();
        assert!(ours.load(&engine, &HASH).is_none(), "{len} bytes of it");
    }
}

#[test]
fn the_folder_is_pruned_to_the_newest_files() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, engine) = disk(folder.path(), 1);
    for n in 0..3 {
        disk.save(&module(&engine), &Sha256Hash::new([n; 32])).unwrap();
    }
    disk.prune(1).unwrap();
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1);
}

#[test]
fn a_key_that_is_too_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_dir: folder.path().into(), cache_key: Secret::new(vec![1; 16]) };
    assert!(Disk::open(options, &engine::engine().unwrap()).is_err());
}

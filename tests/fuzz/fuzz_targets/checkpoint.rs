//! A checkpoint: whatever is opened with the log's key says what the log signed. An odd first
//! byte means edits of the sound one. The rest is read as a public key as well.
#![no_main]

use aileron_fuzz::{edited, log};
use aileron_receipt::{Checkpoint, VerifierKey};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let log = log();
    let sound = Checkpoint::open(log.checkpoint.as_bytes(), &log.key).expect("the sound one");
    let note = if mode % 2 == 1 { edited(log.checkpoint.as_bytes(), rest) } else { rest.to_vec() };
    if let Ok(opened) = Checkpoint::open(&note, &log.key) {
        assert_eq!(opened, sound);
    }
    if let Some(key) = std::str::from_utf8(rest).ok().and_then(|it| it.parse::<VerifierKey>().ok())
    {
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        if let Ok(opened) = Checkpoint::open(&note, &key) {
            assert_eq!(opened.origin(), key.name());
        }
    }
});

//! An exported vault: nothing but the very file that was written opens. A first byte of zero means
//! edits of that file.
#![no_main]

use std::sync::OnceLock;

use aileron_fuzz::edited;
use aileron_vault::fuzz::Export;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static EXPORT: OnceLock<Export> = OnceLock::new();
    let export = EXPORT.get_or_init(|| Export::new().expect("the system has random bytes"));
    let file = match bytes {
        [0, edits @ ..] => edited(export.bytes(), edits),
        whole => whole.to_vec(),
    };
    assert!(export.is_sound_about(&file), "an edited export was opened");
});

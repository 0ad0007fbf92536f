//! A vault file: what is accepted reads back as itself, and an edited one is never opened. A first
//! byte of zero means edits of a sound file.
#![no_main]

use std::sync::OnceLock;

use aileron_fuzz::edited;
use aileron_vault::fuzz::{Sample, reads_back};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    let sample = SAMPLE.get_or_init(|| Sample::new().expect("the system has random bytes"));
    let text = match bytes {
        [0, edits @ ..] => edited(sample.bytes(), edits),
        whole => whole.to_vec(),
    };
    assert!(reads_back(&text));
    assert!(!sample.is_forged_by(&text), "an edited vault was opened");
});

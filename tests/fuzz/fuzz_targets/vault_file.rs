//! A vault file, without key derivation.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    aileron_vault::fuzz::open_file(bytes);
});

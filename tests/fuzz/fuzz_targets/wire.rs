//! Messages between services: one that is accepted means the same after it was sent on. The first
//! byte says which message.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    assert!(aileron_wire::fuzz::means_the_same(*kind, bytes));
});

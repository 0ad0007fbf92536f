//! A suite.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(aileron_executor::formats::suite::parse(bytes, "suite.toml"));
});

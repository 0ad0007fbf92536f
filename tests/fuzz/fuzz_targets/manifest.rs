//! A connector's manifest: any bytes are read or refused, with a line inside the file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = aileron_executor::formats::manifest::parse(bytes, "manifest.toml") {
        assert!(usize::try_from(problem.line()).unwrap_or(usize::MAX) <= bytes.len() + 1);
    }
});

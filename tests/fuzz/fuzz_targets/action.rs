//! An action file: any bytes are read or refused, with a line inside the file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(problem) = aileron_executor::formats::action::parse(bytes, "action.md") {
        assert!(usize::try_from(problem.line()).unwrap_or(usize::MAX) <= bytes.len() + 1);
    }
});

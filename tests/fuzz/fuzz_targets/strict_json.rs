//! JSON from outside: what the strict reader accepts, an ordinary reader understands the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = aileron_contract::json::strict(bytes) {
        let again = aileron_contract::json::strict(value.to_string().as_bytes());
        assert_eq!(again.ok(), Some(value));
    }
});

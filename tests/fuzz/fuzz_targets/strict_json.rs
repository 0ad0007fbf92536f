//! JSON from outside: what the strict reader accepts, an ordinary reader understands the same, now
//! and after it was written down.
#![no_main]

use serde_json::Value;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = aileron_contract::json::strict(bytes) else { return };
    let ordinary: Value = serde_json::from_slice(bytes).expect("it is JSON");
    assert_eq!(ordinary, value);
    let text = value.to_string();
    assert_eq!(aileron_contract::json::strict(text.as_bytes()).ok().as_ref(), Some(&value));
    assert_eq!(serde_json::from_str::<Value>(&text).ok().as_ref(), Some(&value));
    let again: Value = serde_json::from_str(&text).expect("it was just read");
    let digest = |value| aileron_contract::json::digest("fuzz", value).expect("it is canonical");
    assert_eq!(digest(&value), digest(&again));
});

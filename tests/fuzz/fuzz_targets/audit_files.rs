//! What the log reads back: journal frames and lines.
#![no_main]

use aileron_audit::fuzz;
use serde_json::{Map, Value};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(fuzz::journal_reads_back(bytes));
    if let Some(record) = fuzz::record(7, bytes) {
        assert_eq!(record.index, 7);
        // It is sent and shown as JSON: there it must still be the same.
        let text = serde_json::to_string(&record.payload).expect("it came from JSON");
        let again: Map<String, Value> = serde_json::from_str(&text).expect("it was just written");
        assert_eq!(again, record.payload);
    }
});

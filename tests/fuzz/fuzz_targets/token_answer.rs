//! What a provider answers, and what an earlier runtime stored: what is accepted is stored so that
//! it reads back as itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(aileron_vault::fuzz::token_answer_reads_back(bytes));
});

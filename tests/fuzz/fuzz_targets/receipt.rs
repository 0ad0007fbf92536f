//! A receipt: what parses, reads back as itself.
#![no_main]

use aileron_receipt::Receipt;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(receipt) = Receipt::parse(text)
    {
        let again = Receipt::parse(&receipt.to_string()).expect("its own text is a receipt");
        assert_eq!(again, receipt);
    }
});

//! A receipt: what parses reads back as itself, and a changed receipt proves nothing but what the
//! log really holds. An odd first byte means edits of a sound receipt.
#![no_main]

use aileron_fuzz::{edited, log};
use aileron_receipt::Receipt;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let log = log();
    let text = if mode % 2 == 1 { edited(log.receipt.as_bytes(), rest) } else { rest.to_vec() };
    let Some(receipt) = std::str::from_utf8(&text).ok().and_then(|it| Receipt::parse(it).ok())
    else {
        return;
    };
    let again = Receipt::parse(&receipt.to_string()).expect("its own text is a receipt");
    assert_eq!(again, receipt);
    if let Ok(proven) = receipt.verify(&log.key) {
        let index = usize::try_from(proven.index).expect("a place in a small log");
        assert_eq!(log.leaves.get(index), Some(&proven.leaf));
        assert_eq!(proven.checkpoint.size(), 100);
        // Only signatures of others may have been added.
        if index == 42 {
            let sound = Receipt::parse(&log.receipt).expect("the sound one");
            assert_eq!(proven.leaf, sound.leaf);
            assert_eq!(receipt.proof, sound.proof);
        }
    }
});

//! A lockfile: read or refused with a line of it, and the same when it is written anew.
#![no_main]

use aileron_executor::formats::lock;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match lock::parse(bytes, "actions.lock") {
        Err(problem) => {
            assert!(usize::try_from(problem.line()).is_ok_and(|line| line <= lines), "{problem}");
            assert!(!problem.message().is_empty());
        }
        Ok(read) => {
            let text = read.text();
            assert_eq!(lock::parse(text.as_bytes(), "actions.lock").as_ref(), Ok(&read), "{text}");
            assert_eq!(lock::parse(text.as_bytes(), "actions.lock").map(|it| it.text()), Ok(text));
        }
    }
});

//! An action file: read or refused with a line of it, and the same when only its envelope is
//! written anew.
#![no_main]

use aileron_contract::{executor::Input, names::InputName};
use aileron_executor::formats::{action, frontmatter};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match action::parse(bytes, "action.md") {
        Err(problem) => {
            assert!(usize::try_from(problem.line()).is_ok_and(|line| line <= lines), "{problem}");
            assert!(!problem.message().is_empty());
        }
        Ok(read) => {
            assert!(!read.steps.is_empty() && !read.requires.is_empty());
            assert!(read.steps.iter().all(|step| read.requirement(&step.connector).is_some()));
            // Whatever is not of the published grammar says so, and nothing else does.
            let published =
                |input: &Input| input.declared.is_none() && input.name.parse::<InputName>().is_ok();
            assert_eq!(read.lenient.is_empty(), read.inputs.iter().all(published));
            let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
            for input in &read.inputs {
                assert!(!input.name.is_empty() && input.name.bytes().all(word), "{input:?}");
                let shown = input.declared.iter().flat_map(|kind| kind.bytes());
                assert!(shown.into_iter().all(|c| word(c) || b"[]! ".contains(&c)), "{input:?}");
            }
            let envelope = frontmatter::split(bytes, "action.md").expect("it was just split");
            let text = format!("+++\n{}\n+++\n{}\n", envelope.head, envelope.body);
            assert_eq!(action::parse(text.as_bytes(), "action.md"), Ok(read));
        }
    }
});

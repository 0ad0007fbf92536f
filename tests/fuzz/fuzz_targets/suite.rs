//! A suite: read or refused with a line of it, and the same when it is written anew.
#![no_main]

use aileron_executor::formats::suite::{self, Member};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match suite::parse(bytes, "suite.toml") {
        Err(problem) => {
            assert!(usize::try_from(problem.line()).is_ok_and(|line| line <= lines), "{problem}");
            assert!(!problem.message().is_empty());
        }
        Ok(read) => {
            let members: Vec<String> = read.members.iter().map(written).collect();
            let text = format!(
                "name = {}\ndescription = {}\nactions = [{}]\n",
                quoted(&read.name),
                quoted(&read.description),
                members.join(", ")
            );
            assert_eq!(suite::parse(text.as_bytes(), "suite.toml"), Ok(read), "{text}");
        }
    }
});

fn written(member: &Member) -> String {
    match member {
        Member::Path(path) => {
            assert!(!path.split('/').any(|part| matches!(part, "" | "." | "..")), "{path}");
            quoted(path)
        }
        Member::Package(package) => quoted(&package.to_string()),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

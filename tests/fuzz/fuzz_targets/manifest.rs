//! A connector's manifest: read or refused with a line of it; what is granted stays within bounds.
#![no_main]

use aileron_contract::limits;
use aileron_executor::formats::manifest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match manifest::parse(bytes, "manifest.toml") {
        Err(problem) => {
            assert!(usize::try_from(problem.line()).is_ok_and(|line| line <= lines), "{problem}");
            assert!(!problem.message().is_empty());
        }
        Ok(read) => {
            assert!((1..=limits::GUEST_MEMORY_MAX).contains(&read.limits.memory));
            assert!(!read.limits.wall.is_zero() && read.limits.wall <= limits::GUEST_WALL_MAX);
            assert!(!read.forwarder || read.spawn.is_some());
            assert_eq!(read.package.to_string().parse().ok().as_ref(), Some(&read.package));
            for host in &read.hosts {
                assert_eq!(host.to_string().parse().ok().as_ref(), Some(host));
            }
            // A comment changes nothing.
            let again = [bytes, b"\n# end\n"].concat();
            assert_eq!(manifest::parse(&again, "manifest.toml"), Ok(read));
        }
    }
});

//! What a process that holds keys gives up: its memory is nobody else's to read.

use aileron_contract::{Error, Result};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Makes this process not dumpable (no other process of the same user may attach to it or read
/// its memory through `/proc`) and forbids core files. To be called before any key is in memory;
/// a process that cannot be hardened must not hold keys.
pub fn harden_process() -> Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Error::internal)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn a_hardened_process_leaves_no_core_and_cannot_be_dumped() {
        super::harden_process().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
    }
}

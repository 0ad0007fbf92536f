//! A package as downloaded: never more out of it than the limits allow.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    drop(aileron_executor::packages::tarball::connector(bytes));
    drop(aileron_executor::packages::tarball::action(bytes));
});

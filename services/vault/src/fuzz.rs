//! Doors for fuzzing: what reads bytes from outside, without the work behind it.

/// Reads a vault file: parsing and bounds only, no key derivation. Whatever is accepted as
/// version 2 must read back as itself.
pub fn open_file(bytes: &[u8]) {
    use crate::file::VaultFile;
    if let Ok(VaultFile::V2(file)) = VaultFile::parse(bytes)
        && let Ok(text) = file.render()
    {
        debug_assert_eq!(VaultFile::parse(&text), Ok(VaultFile::V2(file)));
    }
}

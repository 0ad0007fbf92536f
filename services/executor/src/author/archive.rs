//! Archives whose bytes depend on their files alone: no time, no owner, no machine.

use std::io;

use flate2::{Compression, GzBuilder, write::GzEncoder};

/// A flat gzip'd tar of some files, in this order.
pub(super) fn pack(files: &[(&str, &[u8])]) -> io::Result<Vec<u8>> {
    let compressed: GzEncoder<Vec<u8>> =
        GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut archive = tar::Builder::new(compressed);
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)?);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, name, *bytes)?;
    }
    archive.into_inner()?.finish()
}

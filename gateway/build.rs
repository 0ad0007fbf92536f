//! Lists the pages of the manual, so that a new file is served without being named anywhere.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=docs");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut pages = Vec::new();
    collect(&docs, "", &mut pages)?;
    pages.sort();
    let mut list = "&[\n".to_owned();
    for (name, file) in &pages {
        writeln!(list, "    ({name:?}, include_str!({file:?})),").map_err(io::Error::other)?;
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(PathBuf::from(out).join("pages.rs"), list)
}

/// The pages in `folder` by name: their path below `docs/`, without the extension.
fn collect(folder: &Path, above: &str, pages: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{above}{stem}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let file = path.to_str().ok_or_else(|| io::Error::other("a path that is no text"))?;
            pages.push((name, file.to_owned()));
        }
    }
    Ok(())
}

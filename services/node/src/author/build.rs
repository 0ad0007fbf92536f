//! Building a connector's module with the author's own Rust.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use aileron_contract::{Error, Reason, Result, names::Sha256Hash};
use serde::Deserialize;

use super::{dist, files};

const TARGET: &str = "wasm32-wasip1";

/// Where Debian's packages put a Rust for WebAssembly, and the C library it links.
const DEBIAN_RUST: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/wasm32-wasi";

/// A module that was built.
#[derive(Debug)]
pub struct Built {
    pub module: PathBuf,
    pub bytes: usize,
    /// Of the module alone.
    pub hash: Sha256Hash,
    /// The compiler: another one may build other bytes.
    pub toolchain: String,
}

/// How modules can be built here.
enum Toolchain {
    /// The installed Rust has the target.
    Own,
    Debian,
}

/// A message of cargo, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    target_directory: String,
}

/// Builds the package `connector` of the project and keeps its module in `dist/`. Same sources
/// and same compiler give the same bytes, wherever the project lies. `crates` is where cargo keeps
/// its registry (`~/.cargo`). What the compiler says goes to standard error.
pub fn build(folder: &Path, crates: &Path) -> Result<Built> {
    let folder = folder.canonicalize().map_err(|error| files::failed("open", folder, error))?;
    if !folder.join("Cargo.toml").is_file() {
        let text = format!(
            "{} has no Cargo.toml: build the module with its own tools, and give it to aileron \
             connector pack with --module",
            folder.display()
        );
        return Err(Error::new(Reason::InvalidRequest, text));
    }
    let toolchain = toolchain(&folder)?;
    let flags = flags(&folder, crates, &toolchain)?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--package", "connector", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .current_dir(&folder)
        .stderr(Stdio::inherit());
    if matches!(toolchain, Toolchain::Debian) {
        cargo.arg("-Zbuild-std=std,panic_abort");
        cargo.env("RUSTC", DEBIAN_RUST).env("RUSTC_BOOTSTRAP", "1");
    }
    let output = cargo.output().map_err(|error| missing("cargo", error))?;
    if !output.status.success() {
        let text = "the connector does not build: what cargo wrote above says why";
        return Err(Error::new(Reason::ValidationError, text));
    }
    let built = artifact(&output.stdout).ok_or_else(|| {
        let text = "the package \"connector\" has no program: it needs a src/main.rs";
        Error::new(Reason::ValidationError, text)
    })?;
    let bytes = files::bounded(&built, files::MODULE_MAX)?;
    let module = dist::keep_module(&folder, &bytes)?;
    let hash = Sha256Hash::of(&[&bytes]);
    Ok(Built { module, bytes: bytes.len(), hash, toolchain: version(&toolchain)? })
}

fn toolchain(folder: &Path) -> Result<Toolchain> {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(folder)
        .stderr(Stdio::null())
        .output()
        .map_err(|error| missing("rustc", error))?;
    let library = String::from_utf8_lossy(&asked.stdout);
    if asked.status.success() && Path::new(library.trim()).is_dir() {
        return Ok(Toolchain::Own);
    }
    if Path::new(DEBIAN_RUST).is_file() && Path::new(DEBIAN_LIBRARY).is_dir() {
        return Ok(Toolchain::Debian);
    }
    let text = format!(
        "this Rust cannot build for {TARGET}: run \"rustup target add {TARGET}\", or on Debian \
         \"apt-get install rustc-web rust-web-src wasi-libc lld\""
    );
    Err(Error::new(Reason::InvalidRequest, text))
}

/// No path of this machine may end up in the module.
fn flags(folder: &Path, crates: &Path, toolchain: &Toolchain) -> Result<Vec<String>> {
    let metadata = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| missing("cargo", error))?;
    let metadata: Metadata = serde_json::from_slice(&metadata.stdout).map_err(|_| {
        let text = "cargo cannot read the project: what it wrote above says why";
        Error::new(Reason::ValidationError, text)
    })?;
    let remapped = |from: &str, to: &str| format!("--remap-path-prefix={from}={to}");
    let mut flags = vec![
        remapped(&folder.display().to_string(), "/connector"),
        remapped(&crates.display().to_string(), "/crates"),
        remapped(&metadata.target_directory, "/target"),
    ];
    if matches!(toolchain, Toolchain::Debian) {
        let start = format!("link-arg={DEBIAN_LIBRARY}/crt1-command.o");
        let library = format!("native={DEBIAN_LIBRARY}");
        let linking = ["-L", &library, "-C", "linker=wasm-ld", "-C", "link-self-contained=no"];
        flags.extend(linking.into_iter().chain(["-C", &start]).map(str::to_owned));
    }
    Ok(flags)
}

/// The program among what cargo built.
fn artifact(messages: &[u8]) -> Option<PathBuf> {
    let lines = messages.split(|byte| *byte == b'\n');
    let messages = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    messages
        .filter(|message| message.reason == "compiler-artifact")
        .filter_map(|message| message.executable)
        .next_back()
}

fn version(toolchain: &Toolchain) -> Result<String> {
    let compiler = match toolchain {
        Toolchain::Own => "rustc",
        Toolchain::Debian => DEBIAN_RUST,
    };
    let asked = Command::new(compiler).arg("--version").output();
    let output = asked.map_err(|error| missing(compiler, error))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn missing(tool: &str, error: std::io::Error) -> Error {
    let text = format!("{tool} cannot be run ({error}): install Rust, https://rustup.rs");
    Error::new(Reason::InvalidRequest, text).caused_by(error)
}

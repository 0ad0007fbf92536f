//! What an author's commands accept: `aileron connector new` to `publish`, `aileron keyring
//! generate`, `aileron action new`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum AuthorCommand {
    /// Start a connector of your own: a folder as a repository ships it
    New(NewArguments),
    /// Build your connector's module for wasm32-wasip1, into dist/connector.wasm
    Build {
        /// The project's folder
        #[arg(default_value = ".")]
        project: PathBuf,
    },
    /// Call an operation of the built module in the real host, without vault and daemon
    Test(TestArguments),
    /// Make the packages of a version, into dist/release
    Pack(PackArguments),
    /// Sign the packages of dist/release and close their archives
    Sign {
        /// The project's folder
        #[arg(default_value = ".")]
        project: PathBuf,
        /// The private key: PEM (PKCS#8, Ed25519), or base64 of it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Show what a pushed tag publishes
    Publish {
        /// The project's folder
        #[arg(default_value = ".")]
        project: PathBuf,
        /// Only show it; publishing is what the repository's workflow does
        #[arg(long)]
        dry_run: bool,
        /// Print the layout as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The connector: github://owner/repo, or the repository's name with --owner
    pub(crate) name: String,
    /// Who will publish it on GitHub
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Where to write the project, instead of a new folder of the repository's name
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// The host the connector talks to, with its port unless it is 443
    #[arg(long, default_value = "api.example.com")]
    pub(crate) host: String,
    /// The key your packages will be signed with, for keys/publisher.pub
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Use the SDK in this folder instead of a copy in the project
    #[arg(long, value_name = "DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// The project's folder
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// The operation to call
    #[arg(long)]
    pub(crate) op: String,
    /// Its arguments, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) args: String,
    /// A server on this machine that stands in for every host, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL", conflicts_with = "replay")]
    pub(crate) server: Option<String>,
    /// Keep what was asked and answered
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) record: Option<PathBuf>,
    /// Answer from what was kept
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// The project's folder
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// The version, without the tag's v
    #[arg(long)]
    pub(crate) version: String,
    /// Another module than dist/connector.wasm
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,
    /// What takes the place of the client secret the manifest leaves out
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct NewActionArguments {
    /// The action's name
    pub(crate) name: String,
    /// The connector's operation it runs, when it is not called the same
    #[arg(long)]
    pub(crate) op: Option<String>,
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) path: PathBuf,
}

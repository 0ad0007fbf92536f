//! The commands about the Hub.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum HubCommand {
    /// List what publishers offer
    List {
        /// Narrow the list to one kind
        #[arg(value_name = "connectors|actions|suites")]
        kind: Option<HubKind>,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Look for a word in names and descriptions
    Search {
        /// The word, in any case of letters
        query: String,
        /// Narrow the search to one kind
        #[arg(long = "type", value_name = "connectors|actions|suites")]
        kind: Option<HubKind>,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Show one entry, and for a connector its publisher's key
    Show {
        /// The entry's name, such as github://owner/repo
        fqn: String,
        /// The entry's kind, when its name does not say it
        #[arg(long = "type", value_name = "connectors|actions|suites")]
        kind: Option<HubKind>,
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
    /// Fetch the list anew, whatever the age of the runtime's copy
    Refresh {
        /// Print the runtime's answer as it is
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HubKind {
    Connectors,
    Actions,
    Suites,
}

impl HubKind {
    /// As the API spells it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Connectors => "connectors",
            Self::Actions => "actions",
            Self::Suites => "suites",
        }
    }
}

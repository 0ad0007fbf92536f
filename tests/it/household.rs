//! A house with somebody in it: its daemon runs, its vault is there, its person is signed in.
//! Most tests begin here; what they have beyond that is theirs.

use std::{path::PathBuf, time::Duration};

use aileron_api::{
    access::{MintToken, MintedToken},
    client::Client,
    sessions::BeginSession,
    upkeep::{AcceptDrift, DriftFilter},
};
use aileron_contract::Timestamp;
use aileron_node::demo::Servers;

use crate::{
    house::{House, create_vault, person},
    main_job::moves_in,
};

/// The house, the servers around it, a program with the daemon's own token, and the person.
pub(crate) struct Household {
    pub(crate) house: House,
    pub(crate) servers: Servers,
    pub(crate) program: Client,
    pub(crate) person: Client,
}

impl Household {
    /// The sample suite is installed, and its key is bound.
    pub(crate) async fn new() -> Self {
        Self::among(Servers::start().await.unwrap()).await
    }

    /// The same among these servers.
    pub(crate) async fn among(servers: Servers) -> Self {
        let mut house = House::new(&servers);
        house.spawn(&["daemon", "run"]);
        Self::started(house, servers).await
    }

    /// The same in a house whose daemon was told to start.
    pub(crate) async fn started(mut house: House, servers: Servers) -> Self {
        let program = house.client().await;
        let person = moves_in(&program, &servers).await;
        Self { house, servers, program, person }
    }

    /// Nothing is installed.
    pub(crate) async fn bare(servers: Servers) -> Self {
        let mut house = House::new(&servers);
        let program = house.start().await;
        create_vault(&program).await;
        let person = person(&program).await;
        Self { house, servers, program, person }
    }

    /// The daemon's process.
    pub(crate) fn daemon(&self) -> u32 {
        self.house.discovery().unwrap().pid
    }

    /// The daemon's address.
    pub(crate) fn url(&self) -> String {
        self.house.discovery().unwrap().url
    }

    /// Where an action's file is.
    pub(crate) fn action_file(&self, name: &str) -> PathBuf {
        self.house.path().join("actions").join(format!("{name}.md"))
    }

    pub(crate) fn action_text(&self, name: &str) -> String {
        std::fs::read_to_string(self.action_file(name)).unwrap()
    }

    /// Puts an action's file there and accepts it, as a person who wrote it would.
    pub(crate) async fn writes_action(&self, name: &str, text: &str) {
        std::fs::write(self.action_file(name), text).unwrap();
        let drift = self.person.drift(&DriftFilter::default()).await.unwrap().value;
        let found = drift.items.into_iter().find(|item| item.name == name).unwrap();
        let body = AcceptDrift { digest: found.digest.unwrap() };
        self.person.accept_action(name, &body).await.unwrap();
    }

    /// Somebody changes the file of an installed action.
    pub(crate) fn rewords(&self, action: &str, from: &str, to: &str) {
        let text = self.action_text(action);
        assert!(text.contains(from), "{text}");
        std::fs::write(self.action_file(action), text.replace(from, to)).unwrap();
    }
}

/// An agent's session: its id, and what it was given.
pub(crate) async fn begins(program: &Client, agent: &str) -> (String, String) {
    let body = BeginSession { agent: agent.to_owned(), working_dir: Some("/home/me/notes".into()) };
    let begun = program.begin_session(&body).await.unwrap().value;
    (begun.session.id, begun.caveat_token.unwrap().into_inner())
}

/// Mints a token that outlives its test.
pub(crate) async fn mints(owner: &Client, label: &str, scopes: &[&str]) -> MintedToken {
    let expires_at = (Timestamp::now() + Duration::from_hours(1)).to_string();
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let mint = MintToken { label: label.to_owned(), scopes, expires_at };
    owner.mint_token(&mint).await.unwrap().value
}

//! The keys of a manifest, before any rule but their types.

use crate::formats::{
    Problem, spawn,
    table::{Spot, Table},
};

pub(in crate::formats) type Text = Option<Spot<String>>;
pub(in crate::formats) type Texts = Option<Spot<Vec<String>>>;

#[derive(Default)]
pub(super) struct Manifest {
    pub(super) line: u32,
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) provenance: Text,
    pub(super) publisher: Text,
    pub(super) forwarder: Text,
    pub(super) origin: Text,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) hosts: Texts,
    pub(super) credential: Option<Credential>,
    pub(super) spawn: Option<spawn::Raw>,
    pub(super) limits: Option<Limits>,
    pub(super) imports: Texts,
    pub(super) intents: Texts,
}

pub(super) struct Idempotency {
    pub(super) line: u32,
    pub(super) default: Text,
}

pub(super) struct Limits {
    pub(super) memory_mib: Option<Spot<i64>>,
    pub(super) wall_seconds: Option<Spot<i64>>,
}

pub(super) struct Credential {
    pub(super) line: u32,
    pub(super) kind: Text,
    pub(super) scope: Text,
    pub(super) header: Text,
    pub(super) format: Text,
    pub(super) region: Text,
    pub(super) service: Text,
    pub(super) access_key_id: Text,
    pub(super) parameter: Text,
    pub(super) oauth2: Option<Oauth2>,
}

pub(super) struct Oauth2 {
    pub(super) line: u32,
    pub(super) authorize_url: Text,
    pub(super) token_url: Text,
    pub(super) device_authorization_url: Text,
    pub(super) revocation_url: Text,
    pub(super) client_id: Text,
    pub(super) client_secret: Text,
    pub(super) scopes: Texts,
}

impl Manifest {
    pub(super) fn read(mut root: Table<'_>) -> Result<Self, Problem> {
        let mut raw = Self { line: root.line, ..Self::default() };
        if let Some(table) = root.table("connector")? {
            raw.connector(table)?;
        }
        if let Some(table) = root.table("capabilities")? {
            raw.capabilities(table)?;
        }
        if let Some(mut table) = root.table("provides")? {
            raw.intents = table.texts("intents")?;
        }
        Ok(raw)
    }

    fn connector(&mut self, mut table: Table<'_>) -> Result<(), Problem> {
        self.line = table.line;
        self.name = table.text("name")?;
        self.version = table.text("version")?;
        self.provenance = table.text("provenance_hash")?;
        self.publisher = table.text("publisher")?;
        self.forwarder = table.text("forwarder")?;
        self.origin = table.text("origin")?;
        if let Some(mut table) = table.table("idempotency")? {
            let default = table.text("default")?;
            self.idempotency = Some(Idempotency { line: table.line, default });
        }
        Ok(())
    }

    fn capabilities(&mut self, mut table: Table<'_>) -> Result<(), Problem> {
        if let Some(mut network) = table.table("network")? {
            self.hosts = network.texts("hosts")?;
        }
        self.credential = table.table("credential")?.map(Credential::read).transpose()?;
        if let Some(mut runtime) = table.table("runtime")? {
            self.imports = runtime.texts("imports")?;
        }
        self.spawn = table.table("spawn")?.map(spawn::Raw::read).transpose()?;
        if let Some(mut limits) = table.table("limits")? {
            self.limits = Some(Limits {
                memory_mib: limits.integer("memory_mib")?,
                wall_seconds: limits.integer("wall_seconds")?,
            });
        }
        Ok(())
    }
}

impl Credential {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            kind: table.text("kind")?,
            scope: table.text("scope")?,
            header: table.text("header")?,
            format: table.text("format")?,
            region: table.text("region")?,
            service: table.text("service")?,
            access_key_id: table.text("access_key_id")?,
            parameter: table.text("parameter")?,
            oauth2: table.table("oauth2")?.map(Oauth2::read).transpose()?,
        })
    }
}

impl Oauth2 {
    fn read(mut table: Table<'_>) -> Result<Self, Problem> {
        Ok(Self {
            line: table.line,
            authorize_url: table.text("authorize_url")?,
            token_url: table.text("token_url")?,
            device_authorization_url: table.text("device_authorization_url")?,
            revocation_url: table.text("revocation_url")?,
            client_id: table.text("client_id")?,
            client_secret: table.text("client_secret")?,
            scopes: table.texts("scopes")?,
        })
    }
}

use aileron_contract::{
    Context, Publishers, Result, Scope,
    names::Authority,
    publishers::{DistrustRequest, Keyring, PublishedKey, TrustRequest, Trusted, TrustedKey},
};
use async_trait::async_trait;

use super::{World, world::later};

fn trusted(authority: Authority, key: [u8; 32]) -> TrustedKey {
    TrustedKey { authority, key, fingerprint: "sha256:short".to_owned() }
}

#[async_trait]
impl Publishers for World {
    async fn keyring(&self, context: &Context) -> Result<Keyring> {
        self.enter("keyring", context, Scope::KeyringList)?;
        let path = "/home/keyring.json".to_owned();
        Ok(Keyring { keys: Vec::new(), verified: None, path })
    }

    async fn published_key(&self, context: &Context, authority: Authority) -> Result<PublishedKey> {
        self.enter("published_key", context, Scope::PackagesPreview)?;
        let TrustedKey { authority, key, fingerprint } = trusted(authority, [9; 32]);
        Ok(PublishedKey { authority, key, fingerprint, trusted: false, fetched_at: later() })
    }

    async fn trust(&self, context: &Context, request: TrustRequest) -> Result<Trusted> {
        self.enter("trust", context, Scope::KeyringTrust)?;
        let already = request.key == [0; 32];
        let key = trusted(request.authority, request.key);
        Ok(Trusted { key, already, path: "/home/keyring.json".to_owned() })
    }

    async fn distrust(&self, context: &Context, _: DistrustRequest) -> Result<Vec<TrustedKey>> {
        self.enter("distrust", context, Scope::KeyringTrust)?;
        Ok(Vec::new())
    }
}

use aileron_contract::{
    Secret,
    names::SecretName,
    vault::{Acceptance, Handle, PassphraseChange, PinDomain},
};

use super::{on_every_transport, promise};
use crate::{
    fakes::FakeVault,
    samples::{context, name, vault as samples},
};

on_every_transport!(vault);

async fn keeps_its_promises(vault: Handle, fake: &FakeVault) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        state(&vault, fake, full).await;
        secrets(&vault, fake, full).await;
        pins(&vault, fake, full).await;
    }
}

async fn state(vault: &Handle, fake: &FakeVault, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
    let status = samples::status(full);
    promise!(stage, "status", &context, vault.status(&context) => status);
    promise!(stage, "create", (&context, b"a\0\xc3\xa9"), vault.create(&context, secret("a\0é")) => status);
    promise!(stage, "unlock", (&context, b""), vault.unlock(&context, secret("")) => status);
    promise!(stage, "lock", &context, vault.lock(&context) => status);
    let change = PassphraseChange { current: secret("old"), new: secret("new"), rotate: full };
    promise!(stage, "change_passphrase", (&context, b"old", b"new", full),
        vault.change_passphrase(&context, change) => status);
    promise!(stage, "older", &context, vault.older(&context) => samples::older(full));
    let acceptance = Acceptance { passphrase: secret("old"), generation: u64::MAX };
    promise!(stage, "accept_older", (&context, b"old", u64::MAX),
        vault.accept_older(&context, acceptance) => status);
}

async fn secrets(vault: &Handle, fake: &FakeVault, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let filter = samples::entry_filter(full);
    promise!(stage, "entries", (&context, &filter),
        vault.entries(&context, filter.clone()) => samples::entries(full));
    let (path, value) = (name::<SecretName>("a/B.c"), vec![0xff, 0, 1]);
    promise!(stage, "put_secret", (&context, &path, &value),
        vault.put_secret(&context, path.clone(), Secret::new(value.clone())) => ());
    promise!(stage, "delete_secret", (&context, &path),
        vault.delete_secret(&context, path.clone()) => ());
}

async fn pins(vault: &Handle, fake: &FakeVault, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    for domain in PinDomain::ALL.iter().copied() {
        let (record, pin) = (vec![1_u8; 3 * usize::from(full)], samples::pin(full));
        promise!(stage, "pin", (&context, domain, &record),
            vault.pin(&context, domain, record.clone()) => pin);
        promise!(stage, "check_pin", (&context, domain, &record, pin),
            vault.check_pin(&context, domain, record.clone(), pin) => full);
    }
}

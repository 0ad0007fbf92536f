use aileron_contract::{
    Secret,
    custody::{Handle, Import, Recovery},
    limits,
    names::Login,
};

use super::{on_every_transport, promise};
use crate::{
    fakes::{FakeCustody, seen, shown},
    samples::{context, custody as samples, name, vault},
};

on_every_transport!(custody);

async fn keeps_its_promises(custody: Handle, fake: &FakeCustody) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        logins(&custody, fake, full).await;
        ways_in(&custody, fake, full).await;
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

async fn logins(custody: &Handle, fake: &FakeCustody, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let login: Login = name(if full { "agents/claude/oauth" } else { "user/github" });
    promise!(stage, "put_login", (&context, &login, samples::parts(&samples::login_value(full))),
        custody.put_login(&context, login.clone(), samples::login_value(full)) => ());
    promise!(stage, "delete_login", (&context, &login),
        custody.delete_login(&context, login.clone()) => ());
    let value = custody.export_login(&context, login.clone()).await.unwrap();
    assert_eq!(samples::parts(&value), samples::parts(&samples::login_value(full)));
    assert_eq!(stage.take(), [seen("export_login", &(&context, &login))]);
}

async fn ways_in(custody: &Handle, fake: &FakeCustody, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let key = custody.add_recovery_key(&context).await.unwrap();
    assert_eq!(shown(&key), shown(&samples::key(full)));
    assert_eq!(stage.take(), [seen("add_recovery_key", &&context)]);
    let status = vault::status(full);
    promise!(stage, "remove_recovery_key", &context,
        custody.remove_recovery_key(&context) => status);
    let recovery = Recovery { key: secret("0A-b"), new: secret("new") };
    promise!(stage, "recover", (&context, b"0A-b", b"new"),
        custody.recover(&context, recovery) => status);
    promise!(stage, "export", (&context, b"own"),
        custody.export(&context, secret("own")) => samples::exported(full));
    // A vault is larger than other requests may be.
    let length = if full { limits::VAULT_EXPORT } else { 0 };
    let import = Import { file: vec![1; length], passphrase: secret("own"), replace: full };
    promise!(stage, "import", (&context, length, b"own", full),
        custody.import(&context, import) => samples::imported(full));
}

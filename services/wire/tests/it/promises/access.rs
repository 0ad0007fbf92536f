use aileron_contract::{Secret, access::Handle};

use super::{on_every_transport, promise};
use crate::{
    fakes::{FakeAccess, seen, shown},
    samples::{access as samples, context, sessions, text},
};

on_every_transport!(access);

async fn keeps_its_promises(access: Handle, fake: &FakeAccess) {
    for full in [true, false] {
        let (stage, context) = (&fake.stage, context(full));
        stage.answer_full(full);
        let secret = || Secret::new(b"pass\0phrase".to_vec());

        let opened = access.open_session(&context, secret()).await.unwrap();
        assert_eq!(opened.session, samples::session(full));
        assert_eq!(shown(&opened.bearer), shown(&samples::bearer(full)));
        assert_eq!(stage.take(), [seen("open_session", &(&context, b"pass\0phrase"))]);

        promise!(stage, "close_sessions", (&context, text(full)),
            access.close_sessions(&context, text(full)) => ());
        promise!(stage, "sessions", &context, access.sessions(&context) => samples::sessions(full));

        let request = samples::mint_request(full);
        let minted = access.mint(&context, request.clone()).await.unwrap();
        assert_eq!(minted.token, samples::token(full));
        assert_eq!(shown(&minted.bearer), shown(&samples::bearer(full)));
        assert_eq!(stage.take(), [seen("mint", &(&context, request))]);

        promise!(stage, "tokens", &context, access.tokens(&context) => samples::tokens(full));
        promise!(stage, "revoke", (&context, "tok"), access.revoke(&context, "tok".to_owned()) => ());
        let id = sessions::id();
        let by = samples::caller(full).principal;
        let bearer = access.admit_agent(&context, id.clone(), by.clone()).await.unwrap();
        assert_eq!(shown(&bearer), shown(&samples::bearer(full)));
        assert_eq!(stage.take(), [seen("admit_agent", &(&context, &id, &by))]);
        let which = full.then_some(id);
        promise!(stage, "dismiss_agents", (&context, &which),
            access.dismiss_agents(&context, which.clone()) => ());
        promise!(stage, "authenticate", b"pass\0phrase",
            access.authenticate(secret()) => samples::caller(full));
    }
}

use aileron_contract::sessions::Handle;

use super::{on_every_transport, promise};
use crate::{
    fakes::{FakeSessions, seen, shown},
    samples::{access, context, sessions as samples},
};

on_every_transport!(sessions);

async fn keeps_its_promises(sessions: Handle, fake: &FakeSessions) {
    for full in [true, false] {
        let (stage, context, id) = (&fake.stage, context(full), samples::id());
        stage.answer_full(full);

        let begun = sessions.begin(&context, samples::begin(full)).await.unwrap();
        assert_eq!(begun.session, samples::session(full));
        assert_eq!(shown(&begun.bearer), shown(&access::bearer(full)));
        assert_eq!(stage.take(), [seen("begin", &(&context, samples::begin(full)))]);

        let exit_code = full.then_some(-1);
        promise!(stage, "end", (&context, &id, exit_code),
            sessions.end(&context, id.clone(), exit_code) => samples::session(full));
        promise!(stage, "list", (&context, samples::filter(full)),
            sessions.list(&context, samples::filter(full)) => samples::sessions(full));
        promise!(stage, "get", (&context, &id),
            sessions.get(&context, id.clone()) => samples::session(full));
    }
}

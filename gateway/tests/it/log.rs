use std::{
    io,
    sync::{Arc, Mutex},
};

use crate::house::{AGENT, Door, PROGRAM};

/// Everything that would be logged, on this thread, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

#[tokio::test]
async fn no_passphrase_token_or_argument_is_ever_logged() {
    let log = Log::default();
    let _listening = log.listen();
    let door = Door::open().await;
    let body = Some(r#"{"passphrase":"canary-passphrase"}"#);
    for line in ["POST /v1/vault/unlock", "POST /v1/person-sessions", "POST /v1/vault"] {
        door.ask(line, PROGRAM, body).await;
    }
    door.ask("GET /v1/status?q=canary-query", "canary-token", None).await;
    let args = Some(r#"{"args":{"to":"canary-argument"}}"#);
    door.ask("POST /v1/actions/notes-list/run", AGENT, args).await;
    let text = log.text();
    assert!(text.contains("/v1/vault/unlock"), "the log hears nothing: {text}");
    for secret in ["canary", PROGRAM, AGENT] {
        assert!(!text.contains(secret), "{secret} is in the log: {text}");
    }
}

#[tokio::test]
async fn a_request_s_span_has_the_published_name_and_the_caller_s_trace() {
    let log = Log::default();
    let _listening = log.listen();
    let door = Door::open().await;
    let headers = format!(
        "Authorization: Bearer {AGENT}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
         traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    );
    door.raw("POST /v1/actions/notes-list/run", &headers, "{}").await;
    let text = log.text();
    assert!(text.contains("otel.name=POST /v1/actions/{name}/run"), "{text}");
    assert!(text.contains("4bf92f3577b34da6a3ce929d0e0e4736"), "{text}");
    assert!(text.contains("http.response.status_code=200"), "{text}");
}

#[tokio::test]
async fn a_cause_that_is_not_shown_is_logged_once_under_the_request_s_id() {
    let log = Log::default();
    let _listening = log.listen();
    let door = Door::open().await;
    door.world.fail(aileron_contract::Error::internal("the disk is on fire"));
    let reply = door.ask("GET /v1/actions", AGENT, None).await;
    let text = log.text();
    assert_eq!(text.matches("the disk is on fire").count(), 1, "{text}");
    assert!(text.contains(reply.header("x-request-id")), "{text}");
}

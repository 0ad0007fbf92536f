//! Logs to standard error and trace context for whoever calls and is called. Export comes with
//! its own configuration; without it spans still carry W3C trace ids across REST and gRPC.

use std::io::IsTerminal as _;

use aileron_contract::json::visible;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    fmt::{FormatFields, format::debug_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Installs the process-wide subscriber. A second call changes nothing.
pub fn init(filter: &str) {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let tracer = SdkTracerProvider::builder().build().tracer("aileron");
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .fmt_fields(fields());
    let installed = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .try_init();
    if installed.is_err() {
        tracing::debug!("logging was set up before");
    }
}

/// Fields on one line, whatever they hold: many quote what somebody else wrote, and that must
/// neither look like a line of its own nor steer the terminal of who reads it.
fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|writer, field, value| {
        let text = visible(&format!("{value:?}")).replace('\n', "\\n").replace('\t', "\\t");
        match field.name() {
            "message" => write!(writer, "{text}"),
            name => write!(writer, "{}={text}", name.strip_prefix("r#").unwrap_or(name)),
        }
    })
    .delimited(" ")
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex, PoisonError},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_others_wrote_stays_in_its_line() {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || to.clone())
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .fmt_fields(fields());
        let bad = "a\r\nINFO forged\u{1b}[2J\u{202e}\u{9b}1m\t\u{2028}";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let span = tracing::info_span!("call", name = bad, shown = %bad);
            span.in_scope(|| {
                tracing::info!(error = %bad, text = bad, "said {bad}");
                tracing::info!(message = bad);
                tracing::warn!(count = 1, "plain");
            });
        });
        let bytes = written.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(bytes).unwrap_or_default();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            !text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{text:?}"
        );
        assert!(!text.lines().any(|line| line.starts_with("INFO forged")), "{text}");
        assert!(text.contains("}: plain count=1"), "{text}");
    }
}

//! Logs to standard error, trace context for whoever calls and is called, and, where the operator
//! asks for it, export of the spans. Without export nothing is collected: spans are there for the
//! log, and carry W3C trace ids across REST and gRPC.

mod client;
mod days;
mod lines;
mod queue;
mod settings;
mod sink;
mod vetting;

use std::{io::IsTerminal as _, sync::atomic::Ordering};

use aileron_contract::{Timestamp, json::visible, limits};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, TracerProviderBuilder},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    field::MakeExt as _,
    filter::filter_fn,
    fmt::{FormatFields, format::debug_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub(crate) use lines::Lines;
pub(crate) use settings::Settings;

use crate::config::Role;

/// A longer field of a line is cut, in bytes: some quote what a client sent.
const FIELD: usize = 8 * 1024;

/// What is to be shut down at the end.
pub(crate) struct Telemetry {
    export: Option<Export>,
}

struct Export {
    tasks: TaskTracker,
    stop: CancellationToken,
    lost: queue::Lost,
}

impl Telemetry {
    /// Installs the process-wide subscriber; a second one changes nothing. Export that cannot be
    /// as asked for is off, which the log says: the runtime works without it.
    pub(crate) fn start(
        (filter, lines): (&str, Lines),
        asked: Result<Option<Settings>, Vec<String>>,
        roles: &[Role],
        clock: fn() -> Timestamp,
    ) -> Self {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let (settings, mut problems) = match asked {
            Ok(settings) => (settings, Vec::new()),
            Err(problems) => (None, problems),
        };
        let (provider, export) = match settings.map(|it| Export::start(it, (roles, &lines), clock))
        {
            None => (quiet(), None),
            Some(Ok((provider, export))) => (provider, Some(export)),
            Some(Err(why)) => {
                problems.push(why);
                (quiet(), None)
            }
        };
        // The finer spans are for whoever exports; the log does without them and costs less.
        let finest = if export.is_some() { Level::DEBUG } else { Level::INFO };
        install((filter, lines), finest, provider.build());
        for problem in problems {
            tracing::warn!(problem, "spans are not exported");
        }
        Self { export }
    }

    /// Exports what is left, for a while.
    pub(crate) async fn stop(self) {
        let Some(Export { tasks, stop, lost }) = self.export else { return };
        stop.cancel();
        tasks.close();
        if tokio::time::timeout(limits::TRACE_FLUSH_WALL, tasks.wait()).await.is_err() {
            tracing::warn!("the last spans could not be exported in time");
        }
        match lost.load(Ordering::Relaxed) {
            0 => {}
            lost => tracing::warn!(lost, "spans were not exported"),
        }
    }
}

/// Spans have ids and remember nothing, unless whoever calls says that it records.
fn quiet() -> TracerProviderBuilder {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    SdkTracerProvider::builder().with_sampler(sampler)
}

impl Export {
    fn start(
        settings: Settings,
        (roles, lines): (&[Role], &Lines),
        clock: fn() -> Timestamp,
    ) -> Result<(TracerProviderBuilder, Self), String> {
        let Settings { service, target } = settings;
        let roles = roles.iter().map(|role| role.text()).collect::<Vec<_>>().join(",");
        // Nothing that was found out about the machine or its user.
        let resource = Resource::builder_empty()
            .with_service_name(service)
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("aileron.roles", roles),
            ])
            .build();
        let (intake, outflow, lost) =
            queue::queue(sink::Sink::new(target, &resource, (clock, lines))?);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        drop(tasks.spawn(outflow.run(stop.child_token())));
        // A program must not be able to keep what it does out of the trace: its flag is not asked.
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource)
            .with_span_processor(intake);
        Ok((provider, Self { tasks, stop, lost }))
    }
}

fn install((filter, lines): (&str, Lines), finest: Level, provider: SdkTracerProvider) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(lines)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .fmt_fields(fields())
        .with_filter(wanted(filter));
    // Our own spans, whatever is logged; never the log's lines, which quote what others wrote.
    let ours = filter_fn(move |metadata| {
        let wanted = metadata.is_span() && *metadata.level() <= finest;
        wanted && metadata.target().starts_with("aileron_")
    })
    .with_max_level_hint(finest);
    let spans = tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_tracer(provider.tracer("aileron"))
        .with_filter(ours);
    if tracing_subscriber::registry().with(lines).with(spans).try_init().is_err() {
        tracing::debug!("logging was set up before");
    }
}

/// What the log shows. The library of `/mcp` writes each message of a client that answers nothing,
/// whole: an agent could fill the disk with it, and what it says is not for the log. Who names the
/// library in a filter has its lines.
fn wanted(filter: &str) -> EnvFilter {
    let quiet = |filter: &str| EnvFilter::try_new(format!("rmcp=off,{filter}"));
    quiet(filter).or_else(|_| quiet("info")).unwrap_or_default()
}

/// Fields on one line, whatever they hold: many quote what somebody else wrote, and that must
/// neither look like a line of its own, nor steer the terminal of who reads it, nor be endless.
fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|writer, field, value| {
        let mut text = format!("{value:?}");
        if text.len() > FIELD {
            text.truncate(text.floor_char_boundary(FIELD));
            text.push('…');
        }
        let text = visible(&text).replace('\n', "\\n").replace('\t', "\\t");
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

    /// What stands in the log with this filter.
    fn log(filter: &str, work: impl FnOnce()) -> String {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || to.clone())
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .fmt_fields(fields())
            .with_filter(wanted(filter));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), work);
        let bytes = written.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).unwrap_or_default()
    }

    #[test]
    fn what_clients_of_the_tools_say_is_not_in_the_log_unless_the_operator_wants_it() {
        let said = |filter| {
            log(filter, || {
                tracing::info!(target: "rmcp::service", "received notification canary");
                tracing::warn!(target: "rmcp::transport::worker", "canary");
                tracing::info!("ours");
            })
        };
        for filter in ["info", "trace", "not=a=filter"] {
            let text = said(filter);
            assert!(text.contains("ours") && !text.contains("canary"), "{filter}: {text}");
        }
        assert_eq!(said("info,rmcp=info").matches("canary").count(), 2);
        assert_eq!(said("warn"), "");
    }

    #[test]
    fn a_field_that_somebody_made_endless_is_cut() {
        let text = log("info", || tracing::info!(said = "é".repeat(1_000_000), "here"));
        assert!(text.len() < 2 * FIELD && text.contains('…'), "{}", text.len());
    }

    #[test]
    fn what_others_wrote_stays_in_its_line() {
        let bad = "a\r\nINFO forged\u{1b}[2J\u{202e}\u{9b}1m\t\u{2028}";
        let text = log("info", || {
            let span = tracing::info_span!("call", name = bad, shown = %bad);
            span.in_scope(|| {
                tracing::info!(error = %bad, text = bad, "said {bad}");
                tracing::info!(message = bad);
                tracing::warn!(count = 1, "plain");
            });
        });
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            !text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{text:?}"
        );
        assert!(!text.lines().any(|line| line.starts_with("INFO forged")), "{text}");
        assert!(text.contains("}: plain count=1"), "{text}");
    }
}

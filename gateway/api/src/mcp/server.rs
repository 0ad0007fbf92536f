//! The protocol's side: what is listed, what is called, what is told meanwhile.

use std::{
    borrow::Cow,
    fmt,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult,
        ErrorCode, Extensions, Implementation, InitializeResult, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ServerCapabilities,
        ServerConfig,
    },
    service::{NotificationContext, Peer, RequestContext},
};
use serde_json::value::RawValue;
use tokio::{sync::Semaphore, time};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    Catalogue, Door, Ran, Tool, Trouble, Written,
    bounds::{CALLS, PAGE},
    diagnosis,
    elicit::Elicit,
    names::{CHECK_STATUS, DIAGNOSTICS},
    outcome,
};

/// The revisions this server speaks. 2025-03-26 is left out: it demands batches, which its
/// successor abolished.
const VERSIONS: &[ProtocolVersion] =
    &[ProtocolVersion::V_2024_11_05, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25];

/// How often a call that waits says so, to clients that want to hear it.
const PROGRESS: Duration = Duration::from_secs(1);

const INSTRUCTIONS: &str = "Each tool is an action a person installed. Some need that person's \
    approval, given outside this conversation: they return at once with a message to show \
    verbatim and an approval id for check_action_status. Cancelling a call ends the waiting, not \
    the action.";

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Shown to the client.
    pub version: String,
    /// How often the actions are looked at for changes; without it never.
    pub refresh: Option<Duration>,
    /// The looking goes on here; it ends with the server.
    pub tasks: TaskTracker,
}

/// The server of one client.
pub struct Server<D> {
    door: Arc<D>,
    options: Options,
    listings: Arc<Mutex<Listings>>,
    calls: Semaphore,
    elicit: Elicit,
    /// Changes are looked for: once, however often a client says that it is ready.
    watched: AtomicBool,
    gone: CancellationToken,
    _ends: DropGuard,
}

/// What has been seen of the actions.
#[derive(Default)]
struct Listings {
    /// As the client last got it: a name means what was described to it there.
    listed: Option<Arc<Catalogue>>,
    /// As it last was, told to the client or not.
    seen: Option<Arc<Catalogue>>,
}

impl<D> fmt::Debug for Server<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<D: Door> Server<D> {
    pub fn new(door: Arc<D>, options: Options) -> Self {
        let gone = CancellationToken::new();
        Self {
            elicit: Elicit::new(options.tasks.clone(), gone.clone()),
            door,
            options,
            listings: Arc::default(),
            calls: Semaphore::new(CALLS),
            watched: AtomicBool::new(false),
            _ends: gone.clone().drop_guard(),
            gone,
        }
    }

    /// The tools as they are now; a failure keeps the last ones.
    async fn list(&self, caller: &Extensions) -> Arc<Catalogue> {
        let fresh = self.door.actions(caller).await.map(|actions| Catalogue::new(&actions));
        let mut listings = lock(&self.listings);
        let listed = match fresh {
            Ok(fresh) => Arc::new(fresh),
            Err(_) => listings.listed.clone().unwrap_or_else(|| {
                // The tools of ours are there also when nobody answers: one of them says why.
                Arc::new(Catalogue::new(&crate::actions::Actions::default()))
            }),
        };
        listings.listed = Some(Arc::clone(&listed));
        listings.seen = Some(Arc::clone(&listed));
        listed
    }

    async fn call(
        &self,
        tool: &str,
        arguments: &RawValue,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let caller = &context.extensions;
        let Ok(_permit) = self.calls.try_acquire() else {
            return Ok(outcome::refused(format!(
                "{CALLS} calls are under way already: wait for one of them"
            )));
        };
        match tool {
            CHECK_STATUS => Ok(self.check_status(arguments, caller).await),
            DIAGNOSTICS => Ok(self.diagnose(caller).await),
            action_tool => match self.find(action_tool, caller).await {
                Ok(Some(action)) => {
                    let ran = self.door.run(caller, &action, arguments).await;
                    if let Ok(Ran::Pending(pending)) = &ran {
                        self.elicit.tell(context, pending);
                    }
                    Ok(outcome::of_run(ran))
                }
                Ok(None) => Err(unknown(action_tool)),
                Err(trouble) => Ok(outcome::of_run(Err(trouble))),
            },
        }
    }

    /// The action a name stands for: the one described under it to this client, or a new one.
    async fn find(&self, tool: &str, caller: &Extensions) -> Result<Option<String>, Trouble> {
        let listed = lock(&self.listings).listed.clone();
        if let Some(action) = listed.as_deref().and_then(|listed| listed.action(tool)) {
            return Ok(Some(action.to_owned()));
        }
        let fresh = Catalogue::new(&self.door.actions(caller).await?);
        Ok(fresh.action(tool).map(str::to_owned))
    }

    async fn check_status(&self, arguments: &RawValue, caller: &Extensions) -> CallToolResult {
        #[derive(serde::Deserialize)]
        struct Arguments {
            approval_id: String,
        }
        match serde_json::from_str::<Arguments>(arguments.get()) {
            Ok(Arguments { approval_id }) => {
                let answer = self.door.result(caller, &approval_id).await;
                outcome::of_status(&approval_id, answer)
            }
            Err(error) => outcome::refused(format!("{CHECK_STATUS}: {error}")),
        }
    }

    async fn diagnose(&self, caller: &Extensions) -> CallToolResult {
        let listing = self.door.actions(caller).await.map(|actions| Catalogue::new(&actions));
        let (healthy, count, told) = diagnosis::diagnose(&listing);
        outcome::of_diagnosis(healthy, &told, count)
    }

    /// Looks for changes, and tells the client of each, until one of the two is gone.
    fn watch(&self, peer: Peer<RoleServer>, caller: Extensions) {
        let Some(refresh) = self.options.refresh else { return };
        let (door, listings) = (Arc::clone(&self.door), Arc::clone(&self.listings));
        let gone = self.gone.clone();
        let looking = async move {
            loop {
                time::sleep(refresh).await;
                let Ok(actions) = door.actions(&caller).await else { continue };
                let fresh = Arc::new(Catalogue::new(&actions));
                let before = lock(&listings).seen.replace(Arc::clone(&fresh));
                let changed = before.is_some_and(|before| before != fresh);
                if changed && peer.notify_tool_list_changed().await.is_err() {
                    return;
                }
            }
        };
        drop(self.options.tasks.spawn(async move {
            gone.run_until_cancelled(looking).await;
        }));
    }
}

impl<D: Door> ServerHandler for Server<D> {
    fn get_info(&self) -> ServerConfig {
        let tools = ServerCapabilities::builder().enable_tools().enable_tool_list_changed();
        InitializeResult::new(tools.build())
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
            .with_server_info(Implementation::new("aileron", self.options.version.clone()))
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if !self.watched.swap(true, Ordering::Relaxed) {
            self.watch(context.peer, context.extensions);
        }
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let listed = lock(&self.listings).listed.clone();
        match (cursor, listed) {
            // Further pages are of the same listing.
            (Some(cursor), Some(listed)) => page(&listed, Some(&cursor)),
            (Some(cursor), None) => page(&Catalogue::default(), Some(&cursor)),
            (None, _) => page(&*self.list(&context.extensions).await, None),
        }
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let written = written(&context.extensions)?;
        let work = self.call(&request.name, written.arguments(), &context);
        let told = telling(&context, work);
        let Some(result) = context.ct.run_until_cancelled(told).await else {
            return Err(ErrorData::internal_error(
                "the call was cancelled: what it started goes on",
                None,
            ));
        };
        let mut result = result?;
        let version = context.protocol_version();
        if version.is_none_or(|version| version < ProtocolVersion::V_2025_06_18) {
            result.structured_content = None;
        }
        Ok(result.into())
    }

    /// What the library cannot read as a request it knows: a method that is not ours, or a call
    /// with parameters it does not have.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(match request.method.as_str() {
            "tools/call" => ErrorData::invalid_params(
                "the params of tools/call are not as the protocol has them: name is a string, \
                 arguments an object",
                None,
            ),
            method => {
                let method = super::text::shown(method, 200);
                ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None)
            }
        })
    }
}

/// Waits for a call, telling the client that it still goes on if it wants to hear that.
async fn telling<T>(context: &RequestContext<RoleServer>, work: impl Future<Output = T>) -> T {
    let Some(token) = context.meta.get_progress_token() else { return work.await };
    let mut work = pin!(work);
    let mut ticks = time::interval(PROGRESS);
    let mut seconds = 0.0;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => {
                let progress = ProgressNotificationParam::new(token.clone(), seconds)
                    .with_message("the action is under way");
                // A client that is gone is noticed where the answer goes.
                drop(context.peer.notify_progress(progress).await);
                seconds += PROGRESS.as_secs_f64();
            }
        }
    }
}

/// The arguments as the transport found them, directly or among the parts of an HTTP request.
fn written(extensions: &Extensions) -> Result<Written, ErrorData> {
    let of_http = || extensions.get::<http::request::Parts>()?.extensions.get::<Written>();
    extensions.get::<Written>().or_else(of_http).cloned().ok_or_else(|| {
        ErrorData::internal_error("the transport did not keep the arguments as written", None)
    })
}

fn unknown(tool: &str) -> ErrorData {
    let shown = super::text::shown(tool, 200);
    ErrorData::invalid_params(format!("unknown tool {shown}: list the tools again"), None)
}

/// The tools after `cursor`, which is the name of the last one the client has.
fn page(catalogue: &Catalogue, cursor: Option<&str>) -> Result<ListToolsResult, ErrorData> {
    let tools = catalogue.tools();
    let start = match cursor {
        None => 0,
        Some(last) => tools.iter().position(|tool| tool.name == last).map_or_else(
            || Err(ErrorData::invalid_params("the cursor is not of this listing", None)),
            |last| Ok(last.saturating_add(1)),
        )?,
    };
    let mut page = ListToolsResult::default();
    let mut size = 0;
    for tool in tools.get(start..).unwrap_or_default() {
        let length = tool.description.len()
            + serde_json::to_string(&tool.input_schema).map_or(0, |it| it.len());
        if size > 0 && size + length > PAGE {
            page.next_cursor =
                page.tools.last().map(|last: &rmcp::model::Tool| last.name.to_string());
            break;
        }
        size += length;
        page.tools.push(of_protocol(tool));
    }
    Ok(page)
}

fn of_protocol(tool: &Tool) -> rmcp::model::Tool {
    let Tool { name, description, input_schema } = tool.clone();
    rmcp::model::Tool::new(name, description, input_schema)
}

/// A panic elsewhere does not make a listing wrong.
fn lock(listings: &Mutex<Listings>) -> std::sync::MutexGuard<'_, Listings> {
    listings.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

use aileron_contract::{
    Context, Error, Executor, Principal, Reason, Result, Scope, Stream,
    executor::{
        Action, Actions, Approval, ApprovalChange, ApprovalEvent, ApprovalKind, Call,
        ConsentDecision, Counts, Decision, Field, Grant, GrantCaller, GrantRequest, GrantTerms,
        Pending, Position, Preview, Resolution, Run, RunFilter, RunResult, RunState, Started,
    },
    names::{ActionName, GrantId, RunId, Sha256Hash},
};
use async_trait::async_trait;
use futures::{StreamExt as _, stream};

use super::{World, world::later};

pub(crate) const RUN: &str = "act-20300101T000000-00000000deadbeef";

fn action(name: ActionName) -> Action {
    Action {
        name,
        version: "1.0.0".parse().unwrap(),
        source: "github://acme/notes/actions/list@1.0.0".parse().unwrap(),
        hash: Sha256Hash::new([1; 32]),
        requires: Vec::new(),
        intent: "List notes".to_owned(),
        inputs: Vec::new(),
        steps: Vec::new(),
        approval: None,
        enabled: true,
        pinned: Some(true),
        body: "# Notes".to_owned(),
        path: "/home/actions/notes-list.md".to_owned(),
        lenient: Vec::new(),
    }
}

pub(crate) fn result() -> RunResult {
    RunResult {
        run: RUN.parse().unwrap(),
        audit_id: "audit-1".parse().unwrap(),
        output: "{\"action\":\"notes-list\"}".to_owned(),
        connector: "github://acme/notes@1.0.0".parse().unwrap(),
        connector_hash: Sha256Hash::new([2; 32]),
        binding: Some("api_key/notes/default".parse().unwrap()),
        consent: ConsentDecision::Unattended,
    }
}

pub(crate) fn parked() -> Pending {
    Pending {
        id: RUN.parse().unwrap(),
        action: "notes-create".parse().unwrap(),
        connector: Some("github://acme/notes".parse().unwrap()),
        expires_at: later(),
    }
}

fn run(id: RunId) -> Run {
    Run {
        id,
        action: "notes-create".parse().unwrap(),
        action_hash: Sha256Hash::new([1; 32]),
        connector: None,
        arguments: serde_json::Map::new(),
        identity: None,
        state: RunState::Ambiguous,
        step: Some("create".to_owned()),
        gated: true,
        grant: None,
        principal: Principal::Agent("own-session".into()),
        session: None,
        requested_at: later(),
        expires_at: Some(later()),
        decided_at: None,
        decided_by: None,
        reason: None,
        ended_at: None,
        result: None,
        failure: None,
        digest: Some(Sha256Hash::new([3; 32])),
        quarantined: false,
    }
}

/// Planted, it makes two calls of one session wait.
pub(crate) const CROWD: &str = "crowd";

fn card() -> Approval {
    let line = |label: &str| Field {
        label: label.to_owned(),
        value: Some("one".to_owned()),
        missing: false,
        multiline: false,
    };
    Approval {
        id: RUN.parse().unwrap(),
        kind: ApprovalKind::Action,
        action: "notes-create".parse().unwrap(),
        connector: Some("github://acme/notes".parse().unwrap()),
        arguments: serde_json::Map::new(),
        identity: None,
        session: None,
        session_named: false,
        requested_at: later(),
        expires_at: later(),
        preview: Some(Preview::Fields(vec![line("Notebook")])),
        input_fields: vec![line("Title")],
        digest: Sha256Hash::new([3; 32]),
        asked_before: None,
    }
}

fn resolution() -> Resolution {
    Resolution {
        id: RUN.parse().unwrap(),
        kind: ApprovalKind::Action,
        approved: false,
        reason: Some("not now".to_owned()),
        decided_at: later(),
    }
}

impl World {
    fn planted_in(&self, run: Run) -> Run {
        let planted = self.text("");
        if planted.is_empty() {
            return run;
        }
        let output = serde_json::json!({ "output": planted }).to_string();
        let result = Some(RunResult { output, ..result() });
        let (reason, step) = (Some(planted.clone()), Some(planted.clone()));
        let arguments = [(planted.clone(), planted.into())].into_iter().collect();
        Run { reason, step, arguments, result, ..run }
    }
}

#[async_trait]
impl Executor for World {
    async fn actions(&self, context: &Context) -> Result<Actions> {
        self.enter("actions", context, Scope::ActionsList)?;
        let known = action("notes-list".parse().unwrap());
        let items = vec![Action { intent: self.text(&known.intent), ..known }];
        Ok(Actions { items, load_errors: Vec::new(), warnings: Vec::new() })
    }

    async fn action(&self, context: &Context, name: ActionName) -> Result<Action> {
        self.enter("action", context, Scope::ActionsList)?;
        if name.as_str() == "notes-list" {
            let known = action(name);
            let (intent, body) = (self.text(&known.intent), self.text(&known.body));
            return Ok(Action { intent, body, path: self.text(&known.path), ..known });
        }
        Err(Error::new(Reason::NotFound, "there is no such action"))
    }

    async fn set_enabled(&self, context: &Context, name: ActionName, on: bool) -> Result<Action> {
        self.enter("set_enabled", context, Scope::ActionsConfigure)?;
        Ok(Action { enabled: on, ..action(name) })
    }

    async fn run(&self, context: &Context, call: Call) -> Result<Started> {
        self.enter("run", context, Scope::ActionsRun)?;
        self.runs.lock().unwrap().push(call);
        Ok(self.started())
    }

    async fn runs(&self, context: &Context, _: RunFilter) -> Result<Vec<Run>> {
        self.enter("runs", context, Scope::RunsRead)?;
        Ok(vec![self.planted_in(run(RUN.parse().unwrap()))])
    }

    async fn run_by_id(&self, context: &Context, id: RunId) -> Result<Run> {
        self.enter("run_by_id", context, Scope::ApprovalsPoll)?;
        // Which state it is in stands in its id, where a test cares.
        let state = id.as_str().strip_prefix("act-").and_then(|state| state.parse().ok());
        let state = state.unwrap_or(RunState::Ambiguous);
        Ok(self.planted_in(Run { state, ..run(id) }))
    }

    async fn approvals(&self, context: &Context) -> Result<Vec<Approval>> {
        self.enter("approvals", context, Scope::ApprovalsPoll)?;
        let planted = self.planted.lock().unwrap().clone();
        if planted.is_empty() {
            return Ok(Vec::new());
        }
        if planted == CROWD {
            let of_session = || Approval { session: Some("s1".parse().unwrap()), ..card() };
            return Ok(vec![of_session(), of_session()]);
        }
        let line = |label: String, value| Field {
            label,
            value: Some(value),
            missing: false,
            multiline: true,
        };
        let lines = vec![line(planted.clone(), planted.clone())];
        let arguments = [(planted.clone(), planted.into())].into_iter().collect();
        let (preview, input_fields) = (Some(Preview::Fields(lines.clone())), lines);
        Ok(vec![Approval { arguments, preview, input_fields, ..card() }])
    }

    /// A snapshot, or, taken up again, what came after; then silence.
    async fn watch_approvals(
        &self,
        context: &Context,
        after: Option<Position>,
    ) -> Result<Stream<ApprovalEvent>> {
        self.enter("watch_approvals", context, Scope::ApprovalsPoll)?;
        let event =
            |number, change| Ok(ApprovalEvent { position: Position { epoch: 1, number }, change });
        let told = match after {
            None => vec![
                event(0, ApprovalChange::Snapshot(vec![card()])),
                event(1, ApprovalChange::Pending(Box::new(card()))),
            ],
            Some(after) => vec![
                event(after.number + 1, ApprovalChange::Resolved(resolution())),
                Err(Error::new(Reason::Busy, "this watch fell behind")),
            ],
        };
        let silence =
            if after.is_some() { stream::empty().boxed() } else { stream::pending().boxed() };
        Ok(stream::iter(told).chain(silence).boxed())
    }

    async fn decide(&self, context: &Context, _: RunId, decision: Decision) -> Result<()> {
        self.enter("decide", context, Scope::ApprovalsDecide)?;
        self.decisions.lock().unwrap().push(decision);
        Ok(())
    }

    async fn deny_all(
        &self,
        context: &Context,
        of: GrantCaller,
        reason: Option<String>,
    ) -> Result<Vec<RunId>> {
        self.enter("deny_all", context, Scope::ApprovalsDecide)?;
        self.decisions.lock().unwrap().push(Decision { approved: false, reason, digest: None });
        let waiting = self.approvals(context).await?;
        let GrantCaller::Session(session) = of else { return Ok(Vec::new()) };
        let own = waiting.into_iter().filter(|it| it.session.as_ref() == Some(&session));
        Ok(own.map(|approval| approval.id).collect())
    }

    async fn propose_grant(&self, context: &Context, request: GrantRequest) -> Result<GrantTerms> {
        self.enter("propose_grant", context, Scope::ApprovalsDecide)?;
        Ok(super::grants::terms(request))
    }

    async fn grant(
        &self,
        context: &Context,
        request: GrantRequest,
        seen: Sha256Hash,
    ) -> Result<Grant> {
        self.enter("grant", context, Scope::ApprovalsDecide)?;
        let grant = super::grants::grant(super::grants::terms(request));
        if grant.terms.digest != seen {
            return Err(Error::new(Reason::HashMismatch, "that is not what you saw"));
        }
        Ok(grant)
    }

    async fn grants(&self, context: &Context) -> Result<Vec<Grant>> {
        self.enter("grants", context, Scope::ApprovalsPoll)?;
        Ok(super::grants::some())
    }

    async fn revoke_grant(&self, context: &Context, id: GrantId) -> Result<()> {
        self.enter("revoke_grant", context, Scope::ApprovalsDecide)?;
        super::grants::revoke(&id)
    }

    async fn wake(&self, context: &Context) -> Result<()> {
        self.enter("wake", context, Scope::ActionsRun)
    }

    async fn counts(&self, context: &Context) -> Result<Counts> {
        self.enter("counts", context, Scope::StatusRead)?;
        Ok(Counts { actions: 2, connectors: 1, pending_approvals: 3, drift: 4 })
    }
}

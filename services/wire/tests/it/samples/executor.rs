use aileron_contract::{
    Principal, Result,
    executor::{
        Action, Actions, Approval, ApprovalChange, ApprovalEvent, ApprovalKind, ApprovalRule,
        AskedBefore, Call, ChangedLine, ConsentDecision, Counts, Decision, Field, Input, InputKind,
        LineChange, LoadError, Pending, Position, Preview, PreviewRule, Requirement, Resolution,
        Run, RunFilter, RunResult, RunState, Step,
    },
    failure::Class,
};

pub(crate) use super::failure;
use super::{before_1970, hash, name, object, text, time};

pub(crate) fn actions(full: bool) -> Actions {
    let error = |line| LoadError {
        class: Class::ParseError,
        message: text(full).unwrap_or_default(),
        file: "actions/x.md".to_owned(),
        line,
    };
    if full {
        Actions {
            items: vec![action(true), action(false)],
            load_errors: vec![error(0), error(u32::MAX)],
            warnings: vec![String::new(), "one warning".to_owned()],
        }
    } else {
        Actions { items: Vec::new(), load_errors: Vec::new(), warnings: Vec::new() }
    }
}

pub(crate) fn action(full: bool) -> Action {
    let requirement = Requirement {
        package: name("github://a/b@1.2.3-rc.1+build"),
        hash: hash(),
        capabilities: vec!["list".to_owned(), String::new()],
    };
    let preview = PreviewRule {
        op: "peek".to_owned(),
        args: object(full),
        render: vec![("b".to_owned(), "x.y".to_owned()), ("a".to_owned(), String::new())],
        multiline: vec!["b".to_owned()],
    };
    Action {
        name: name("notes-create"),
        version: name("1.0.0"),
        source: name("github://acme/tools/actions/notes@1.0.0"),
        hash: hash(),
        requires: if full { vec![requirement] } else { Vec::new() },
        intent: text(full).unwrap_or_default(),
        inputs: if full { vec![input(true), input(false)] } else { Vec::new() },
        steps: if full {
            vec![step(Some(true)), step(Some(false)), step(None)]
        } else {
            Vec::new()
        },
        approval: full.then(|| ApprovalRule { required: true, preview: Some(preview) }),
        enabled: full,
        pinned: full.then_some(false),
        // Larger than what a caller may send.
        body: "# Body\n".repeat(if full { 700_000 } else { 0 }),
        path: "actions/notes-create.md".to_owned(),
        lenient: if full { vec!["types are shown".to_owned()] } else { Vec::new() },
    }
}

fn input(full: bool) -> Input {
    Input {
        name: "title".to_owned(),
        kind: if full { InputKind::Array } else { InputKind::String },
        items: full.then_some(InputKind::Object),
        required: full,
        description: text(full).unwrap_or_default(),
        label: text(full),
        multiline: full,
        declared: text(full),
    }
}

fn step(idempotent: Option<bool>) -> Step {
    Step {
        id: "one".to_owned(),
        connector: name("github://acme/tools"),
        op: "create".to_owned(),
        idempotent,
        inputs: object(idempotent.is_some()),
    }
}

pub(crate) fn call(full: bool, action: &str) -> Call {
    let identity = full.then(|| name("work"));
    Call { action: name(action), arguments: object(full), identity }
}

pub(crate) fn result(full: bool) -> RunResult {
    RunResult {
        run: name("act-1"),
        audit_id: name("audit-3"),
        output: text(full).unwrap_or_default(),
        connector: name("github://a/b@1.2.3"),
        connector_hash: hash(),
        binding: full.then(|| name("api_key/notes/me")),
        consent: if full { ConsentDecision::Approved } else { ConsentDecision::Unattended },
    }
}

pub(crate) fn pending(full: bool) -> Pending {
    Pending {
        id: name("act-1"),
        action: name("notes-create"),
        connector: full.then(|| name("github://a/b")),
        expires_at: time(),
    }
}

pub(crate) fn run_filter(full: bool) -> RunFilter {
    RunFilter {
        action: full.then(|| name("x")),
        state: full.then_some(RunState::AwaitingVault),
        session: full.then(|| name("s1")),
        limit: full.then_some(0),
    }
}

pub(crate) fn run(full: bool) -> Run {
    Run {
        id: name("act-1"),
        action: name("notes-create"),
        action_hash: hash(),
        connector: full.then(|| name("github://a/b")),
        arguments: object(full),
        identity: full.then(|| name("work")),
        state: if full { RunState::Ambiguous } else { RunState::Parked },
        step: text(full),
        gated: full,
        grant: full.then(|| name("grant-1")),
        principal: Principal::Agent("a".into()),
        session: full.then(|| name("s1")),
        requested_at: before_1970(),
        expires_at: full.then(time),
        decided_at: full.then(time),
        decided_by: full.then(|| Principal::Person("p".into())),
        reason: text(full),
        ended_at: full.then(time),
        result: full.then(|| result(true)),
        failure: full.then(|| failure(true)),
        digest: full.then(hash),
        quarantined: full,
    }
}

pub(crate) fn runs(full: bool) -> Vec<Run> {
    let states = RunState::ALL.iter().map(|state| Run { state: *state, ..run(true) });
    if full { states.chain([run(false)]).collect() } else { Vec::new() }
}

/// Together larger than one message may be.
pub(crate) fn approvals(full: bool) -> Vec<Approval> {
    let mut arguments = object(true);
    arguments.insert("text".to_owned(), "x".repeat(900_000).into());
    let large = Approval { arguments, ..approval(true) };
    if full { [vec![approval(false)], vec![large; 80]].concat() } else { Vec::new() }
}

fn approval(full: bool) -> Approval {
    let field = |full| Field {
        label: "Title".to_owned(),
        value: text(full),
        missing: full,
        multiline: full,
    };
    Approval {
        id: name("act-1"),
        kind: ApprovalKind::Action,
        action: name("notes-create"),
        connector: full.then(|| name("github://a/b")),
        arguments: object(full),
        identity: full.then(|| name("work")),
        session: full.then(|| name("s1")),
        session_named: full,
        requested_at: before_1970(),
        expires_at: time(),
        preview: full.then(|| Preview::Fields(vec![field(true), field(false)])),
        input_fields: if full { vec![field(true), field(false)] } else { Vec::new() },
        digest: hash(),
        asked_before: full.then(|| AskedBefore {
            times: u32::MAX,
            digest: hash(),
            changes: LineChange::ALL
                .iter()
                .map(|change| ChangedLine { change: *change, text: "To: Ann".to_owned() })
                .collect(),
        }),
    }
}

/// What a watch tells, ended by an error where everything is told.
pub(crate) fn approval_events(full: bool) -> Vec<Result<ApprovalEvent>> {
    let event = |number, change| {
        Ok(ApprovalEvent { position: Position { epoch: u64::MAX, number }, change })
    };
    let kinds = ApprovalKind::ALL.iter().map(|kind| {
        let preview = Some(Preview::Unavailable("timeout".to_owned()));
        let waits = Approval { kind: *kind, preview, ..approval(full) };
        event(1, ApprovalChange::Pending(Box::new(waits)))
    });
    let resolution = Resolution {
        id: name("act-1"),
        kind: ApprovalKind::CommsSend,
        approved: full,
        reason: text(full),
        decided_at: time(),
    };
    let mut events = vec![event(0, ApprovalChange::Snapshot(approvals(full)))];
    events.extend(kinds);
    events.push(event(2, ApprovalChange::Resolved(resolution)));
    if full {
        events.push(Err(super::audit::too_slow()));
    }
    events
}

pub(crate) fn decision(full: bool) -> Decision {
    Decision { approved: full, reason: text(full), digest: full.then(hash) }
}

pub(crate) fn counts(full: bool) -> Counts {
    let most = if full { u64::MAX } else { 0 };
    Counts { actions: most, connectors: 1, pending_approvals: most, drift: 7 }
}

pub(crate) fn denied(full: bool) -> Vec<aileron_contract::names::RunId> {
    if full { vec![name("act-1"), name("act-2")] } else { Vec::new() }
}

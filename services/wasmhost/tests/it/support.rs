//! A host in a folder of its own, guests, and networks.
#![expect(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::sync::{Arc, Mutex};

use aileron_contract::{
    Secret,
    failure::{Boundary, Class, Failure},
    names::Sha256Hash,
};
use aileron_wasmhost::{
    Call, GuestRequest, GuestResponse, Host, Limits, Module, Network, Options, Report,
};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Where a guest's text lies in its memory.
pub(crate) const TEXT: u32 = 1024;

pub(crate) struct House {
    pub(crate) host: Host,
    pub(crate) folder: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { host: open(&folder), folder }
    }

    pub(crate) async fn run(&self, wat: &str) -> Report {
        self.run_with(wat, Limits::default(), Canned::answering(200, "")).await
    }

    pub(crate) async fn run_with(
        &self,
        wat: &str,
        limits: Limits,
        network: Arc<dyn Network>,
    ) -> Report {
        self.host.call(module(wat), call(limits), network).await
    }
}

pub(crate) fn open(folder: &TempDir) -> Host {
    let cache_dir = folder.path().join("modules");
    Host::new(Options { cache_dir, cache_key: Secret::new(vec![3; 32]) }).expect("a host")
}

pub(crate) fn module(wat: &str) -> Module {
    let wasm = wat::parse_str(wat).expect("valid text");
    Module { hash: Sha256Hash::of(&[&wasm]), wasm: wasm.into() }
}

pub(crate) fn call(limits: Limits) -> Call {
    let args = Map::from_iter([("k".to_owned(), json!("v"))]);
    Call { op: "list".to_owned(), args, limits }
}

/// A guest that can import everything, with `text` in its memory and `body` as its `_start`.
pub(crate) fn guest(text: &str, body: &str) -> String {
    guest_with("", text, body)
}

pub(crate) fn guest_with(extra: &str, text: &str, body: &str) -> String {
    let escaped = text.bytes().map(|byte| ["\\", &hex::encode([byte])].concat());
    let data: String = escaped.collect();
    format!(
        r#"(module
          (import "aileron_host" "log" (func $log (param i32 i32 i32 i32)))
          (import "aileron_host" "http_request" (func $http (param i32 i32) (result i32)))
          (import "aileron_host" "http_response_size" (func $size (result i32)))
          (import "aileron_host" "http_response_status" (func $status (result i32)))
          (import "aileron_host" "http_response_read" (func $read (param i32 i32) (result i32)))
          (import "aileron_host" "spawn" (func $spawn (param i32 i32) (result i32)))
          (import "aileron_host" "spawn_op" (func $spawn_op (param i32 i32 i32 i32) (result i32)))
          (import "aileron_host" "spawn_status" (func $spawn_status (result i32)))
          (import "aileron_host" "spawn_output_size"
            (func $spawn_output_size (param i32) (result i32)))
          (import "aileron_host" "spawn_output_read"
            (func $spawn_output_read (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write"
            (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_read"
            (func $fd_read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_snapshot_preview1" "clock_time_get"
            (func $clock (param i32 i64 i32) (result i32)))
          (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "args_sizes_get"
            (func $args (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "environ_sizes_get"
            (func $environ (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_prestat_get"
            (func $prestat (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "poll_oneoff"
            (func $poll (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 2)
          (data (i32.const {TEXT}) "{data}")
          (func $expect (param i32 i32)
            (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))
          (func $write (param $fd i32) (param $at i32) (param $len i32)
            (i32.store (i32.const 0) (local.get $at))
            (i32.store (i32.const 4) (local.get $len))
            (call $expect
              (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
              (i32.const 0)))
          (func $stdin (param $at i32) (param $len i32) (result i32)
            (i32.store (i32.const 0) (local.get $at))
            (i32.store (i32.const 4) (local.get $len))
            (call $expect
              (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
              (i32.const 0))
            (i32.load (i32.const 8)))
          ;; Sleeps so many nanoseconds.
          (func $sleep (param $nanoseconds i64)
            (memory.fill (i32.const 64) (i32.const 0) (i32.const 48))
            (i32.store (i32.const 80) (i32.const 1))
            (i64.store (i32.const 88) (local.get $nanoseconds))
            (call $expect
              (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 160))
              (i32.const 0)))
          {extra}
          (func (export "_start") {body}))"#
    )
}

/// Statements that send the text as a request and expect `code`.
pub(crate) fn request(text: &str, code: i32) -> String {
    format!(
        "(call $expect (call $http (i32.const {TEXT}) (i32.const {})) (i32.const {code}))",
        text.len()
    )
}

/// Statements that write the text to standard output.
pub(crate) fn print(text: &str) -> String {
    format!("(call $write (i32.const 1) (i32.const {TEXT}) (i32.const {}))", text.len())
}

pub(crate) fn denied() -> Failure {
    Failure::new(Class::CapabilityDenied, Boundary::Sandbox, "the host is not allowed")
        .detail("requested", "network:evil:443")
}

/// The failure's class and its `limit` and `configured`.
#[track_caller]
pub(crate) fn limit_of(report: &Report) -> (String, String) {
    let failure = report.outcome.as_ref().expect_err("the call must fail");
    assert_eq!(failure.class, Class::ResourceLimitExceeded, "{failure}");
    let details = failure.details.as_ref().expect("details");
    let text = |key: &str| details.get(key).and_then(Value::as_str).expect(key).to_owned();
    (text("limit"), text("configured"))
}

/// Gives its answers in turn; the last one again and again.
pub(crate) struct Canned {
    answers: Vec<Result<GuestResponse, Failure>>,
    pub(crate) seen: Mutex<Vec<GuestRequest>>,
}

impl Canned {
    pub(crate) fn answering(status: u16, body: &str) -> Arc<Self> {
        Self::turns(vec![Ok(GuestResponse { status, body: body.to_owned().into() })])
    }

    pub(crate) fn turns(answers: Vec<Result<GuestResponse, Failure>>) -> Arc<Self> {
        Arc::new(Self { answers, seen: Mutex::default() })
    }

    pub(crate) fn handle(self: &Arc<Self>) -> Arc<dyn Network> {
        Arc::clone(self) as Arc<dyn Network>
    }

    pub(crate) fn seen(&self) -> Vec<GuestRequest> {
        self.seen.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl Network for Canned {
    async fn http(&self, request: GuestRequest) -> Result<GuestResponse, Failure> {
        let turn = {
            let mut seen = self.seen.lock().expect("no panic");
            seen.push(request);
            seen.len() - 1
        };
        let last = self.answers.len() - 1;
        self.answers.get(turn.min(last)).expect("an answer").clone()
    }
}

/// Never answers.
pub(crate) struct Silent;

#[async_trait]
impl Network for Silent {
    async fn http(&self, _request: GuestRequest) -> Result<GuestResponse, Failure> {
        std::future::pending().await
    }
}

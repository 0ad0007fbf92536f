//! Whatever a guest passes as a range, the host answers with a code and never traps.

use aileron_wasmhost::Limits;
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Canned, House, TEXT, guest, request};

/// Two pages.
const MEMORY: u64 = 2 * 65_536;

fn offset() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (131_000u32..131_200),
        (0u32..4096),
        Just(u32::MAX),
        Just(0x8000_0000),
    ]
}

fn inside(offset: u32, len: u64) -> bool {
    u64::from(offset) + len <= MEMORY
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_range_traps_the_host((at, len) in (offset(), offset()), (to, room) in (offset(), offset())) {
        let text = r#"{"url":"https://a"}"#;
        let answer = "0123456789";
        // After a good request, because reading needs a response; then the arbitrary one, which
        // points at zeros, at half an envelope or at nothing: never at a whole envelope.
        let taken = answer.len().min(usize::try_from(room).unwrap());
        let copied = match taken {
            0 => 0,
            _ if inside(to, taken as u64) => i64::try_from(taken).unwrap(),
            _ => -1,
        };
        let whole = at == TEXT && len as usize == text.len();
        let code = if whole { 0 } else { -2 };
        let (at, len) = (at.cast_signed(), len.cast_signed());
        let (to, room) = (to.cast_signed(), room.cast_signed());
        let body = format!(
            "{}
             (call $log (i32.const {at}) (i32.const {len}) (i32.const {to}) (i32.const {room}))
             (call $expect (call $spawn (i32.const {at}) (i32.const {len})) (i32.const -3))
             (call $expect (call $spawn_op (i32.const {at}) (i32.const {len}) (i32.const {to})
               (i32.const {room})) (i32.const -3))
             (call $expect (call $spawn_output_size (i32.const {at})) (i32.const -1))
             (call $expect (call $spawn_output_read (i32.const {at}) (i32.const {to})
               (i32.const {room})) (i32.const -1))
             (call $expect (call $http (i32.const {at}) (i32.const {len})) (i32.const {code}))
             (call $expect (call $read (i32.const {to}) (i32.const {room})) (i32.const {copied}))",
            request(text, 0)
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(async {
            let house = House::new();
            house.run_with(&guest(text, &body), Limits::default(), Canned::answering(200, answer)).await
        });
        prop_assert_eq!(report.outcome, Ok(None), "{}", json!({"at": at, "len": len, "to": to, "room": room}));
    }
}

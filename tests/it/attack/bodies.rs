//! Bodies two readers could understand differently, and bodies nobody should have to read.

use aileron_api::runs::RunFilter;

use crate::{
    household::Household,
    raw::{Door, status},
};

const RUN: &str = "POST /v1/actions/notes-create/run";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_two_readers_could_read_differently_runs_nothing() {
    let Household { house, servers: _servers, program, .. } = Household::new().await;
    let door = Door::of(&house);
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let bodies = [
        r#"{"args":{"title":"a","title":"b","text":"c"}}"#.to_owned(),
        r#"{"args":{"title":"a","text":"c"},"args":{"title":"b","text":"c"}}"#.to_owned(),
        r#"{"args":{"title":"a","t\u0069tle":"b","text":"c"}}"#.to_owned(),
        r#"{"args":{"title":9007199254740993,"text":"c"}}"#.to_owned(),
        r#"{"args":{"title":-9007199254740993,"text":"c"}}"#.to_owned(),
        r#"{"args":{"title":1e400,"text":"c"}}"#.to_owned(),
        r#"{"args":{"title":12345678901234567890123,"text":"c"}}"#.to_owned(),
        r#"{"args":{"title":"\ud800","text":"c"}}"#.to_owned(),
        r#"{"args":{"title":"\udc00\ud800","text":"c"}}"#.to_owned(),
        r#"{"args":{"title":"a","text":"c"}} {"args":{}}"#.to_owned(),
        r#"{"args":{"title":"a","text":"c",}}"#.to_owned(),
        r#"{"args":{"title":NaN,"text":"c"}}"#.to_owned(),
        "\u{feff}{\"args\":{\"title\":\"a\",\"text\":\"c\"}}".to_owned(),
        format!(r#"{{"args":{{"title":{open}{close},"text":"c"}}}}"#),
        format!(r#"{{"args":{{"title":{},"text":"c"}}}}"#, r#"{"a":"#.repeat(70_000)),
        open.clone(),
        String::from("null"),
        String::from("\0"),
    ];
    for body in &bodies {
        let answer = door.request(RUN, "", body).await;
        assert_eq!(status(&answer), Some(400), "{body:.100}: {answer}");
        assert!(answer.contains("invalid_body"), "{body:.100}: {answer}");
        // Said in a few words, not thrown back.
        assert!(answer.len() < 2_000, "{} bytes", answer.len());
    }
    // The same through the command line, as far as a command line carries it.
    for body in &bodies[..9] {
        let args = &body[r#"{"args":"#.len()..body.len() - 1];
        let args = args.split_once("},\"args\":").map_or(args, |(_, last)| last);
        if args == r#"{"title":"b","text":"c"}"# {
            continue;
        }
        let output = house.run(&["action", "run", "notes-create", "--args", args]);
        assert_eq!(output.status.code(), Some(1), "{args}: {output:?}");
    }
    let deep = format!(r#"{{"title":{}{},"text":"c"}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let output = house.run(&["action", "run", "notes-create", "--args", &deep]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");

    let runs = program.runs(&RunFilter::default()).await.unwrap().value.items;
    assert!(runs.is_empty(), "something was taken for a call: {runs:?}");
    assert!(door.is_well().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_are_refused_unread_and_the_next_caller_is_served() {
    let Household { house, servers: _servers, program, .. } = Household::new().await;
    let door = Door::of(&house);
    let body = format!(r#"{{"args":{{"title":"{}","text":"c"}}}}"#, "a".repeat(10 << 20));
    for line in [RUN, "POST /v1/vault/unlock", "POST /v1/person-sessions", "PUT /v1/secrets/x"] {
        let answer = door.request(line, "", &body).await;
        // The refusal may be lost with the connection that still carries the body.
        assert!(matches!(status(&answer), Some(413) | None), "{line}: {answer}");
        assert!(door.is_well().await);
    }
    // Announced, but never sent: refused by what it announces.
    let Door { address, token } = &door;
    let announced = format!(
        "{RUN} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 10485760\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(status(&door.exchange(announced.as_bytes()).await), Some(413));
    // In pieces without an announcement: refused where the bound is passed.
    let piece = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let chunked = format!(
        "{RUN} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         {}0\r\n\r\n",
        piece.repeat(160)
    );
    let answer = door.exchange(chunked.as_bytes()).await;
    assert!(matches!(status(&answer), Some(413) | None), "{answer}");
    assert!(door.is_well().await);
    let runs = program.runs(&RunFilter::default()).await.unwrap().value.items;
    assert!(runs.is_empty(), "{runs:?}");
    // Within the bound of a body, beyond that of arguments.
    let body = format!(r#"{{"args":{{"title":"{}","text":"c"}}}}"#, "a".repeat(3 << 19));
    let answer = door.request(RUN, "", &body).await;
    assert!(matches!(status(&answer), Some(400..500)), "{answer:.300}");
}

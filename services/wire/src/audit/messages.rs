//! The types of the log's contract, field by field.

use aileron_contract::{
    Result,
    audit::{Actor, Checkpoint, Event, Filter, Record},
};
use aileron_proto::{
    audit::v1::{self as pb, record_frame::Frame},
    common::v1::End,
};

use crate::{
    message::{Wire, messages, must_be_there, read, required},
    values::asked_json,
};

messages! {
    Actor => pb::Actor { kind, id, display_name }

    Record => pb::Record { index, id, kind, timestamp, actor, payload = payload_json, trace_id }

    Filter => pb::Filter { since, until, id, connector, class, kind, limit, session }

    Checkpoint => pb::GetCheckpointResponse { note, verifier_key, size }
}

/// An event is asked for, a record was recorded: only the first is read strictly.
impl Wire<pb::Event> for Event {
    fn into_wire(self) -> pb::Event {
        let Self { id, kind, actor, payload, trace_id } = self;
        pb::Event {
            id: id.into_wire(),
            kind: kind.into_wire(),
            actor: actor.into_wire(),
            payload_json: payload.into_wire(),
            trace_id,
        }
    }

    fn from_wire(event: pb::Event, _field: &'static str) -> Result<Self> {
        let pb::Event { id, kind, actor, payload_json, trace_id } = event;
        Ok(Self {
            id: read(id, "Event.id")?,
            kind: read(kind, "Event.kind")?,
            actor: read(actor, "Event.actor")?,
            payload: asked_json(&payload_json)?,
            trace_id,
        })
    }
}

must_be_there!(Event => pb::Event);

pub(super) fn record_frame(record: Record) -> pb::RecordFrame {
    pb::RecordFrame { frame: Some(Frame::Record(record.into_wire())) }
}

pub(super) fn end_frame() -> pb::RecordFrame {
    pb::RecordFrame { frame: Some(Frame::End(End {})) }
}

/// A record, or none at the end.
pub(super) fn next_record(frame: pb::RecordFrame) -> Result<Option<Record>> {
    let pb::RecordFrame { frame } = frame;
    match required(frame, "frame")? {
        Frame::Record(record) => read(record, "record").map(Some),
        Frame::End(End {}) => Ok(None),
    }
}

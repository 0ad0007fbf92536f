//! Domain types of the log's contract and their messages.

use aileron_contract::{
    Result,
    audit::{Actor, Checkpoint, Event, Filter, Record},
};
use aileron_proto::{
    audit::v1::{self as pb, record_frame::Frame},
    common::v1::End,
};

use crate::values::{
    json_as_recorded, json_strictly, json_to_wire, parsed, parsed_if, required, text_if,
    timestamp_from_wire, timestamp_if, timestamp_to_wire,
};

pub(super) fn event_to_wire(event: Event) -> pb::Event {
    let Event { id, kind, actor, payload, trace_id } = event;
    pb::Event {
        id: text_if(id),
        kind: kind.to_string(),
        actor: Some(actor_to_wire(actor)),
        payload_json: json_to_wire(payload),
        trace_id,
    }
}

pub(super) fn event_from_wire(event: Option<pb::Event>) -> Result<Event> {
    let pb::Event { id, kind, actor, payload_json, trace_id } = required(event, "event")?;
    Ok(Event {
        id: parsed_if(id)?,
        kind: parsed(kind)?,
        actor: actor_from_wire(actor)?,
        payload: json_strictly(&payload_json)?,
        trace_id,
    })
}

fn actor_to_wire(actor: Actor) -> pb::Actor {
    let Actor { kind, id, display_name } = actor;
    pb::Actor { kind: kind.to_string(), id, display_name }
}

fn actor_from_wire(actor: Option<pb::Actor>) -> Result<Actor> {
    let pb::Actor { kind, id, display_name } = required(actor, "actor")?;
    Ok(Actor { kind: parsed(kind)?, id, display_name })
}

pub(super) fn record_to_wire(record: Record) -> pb::Record {
    let Record { index, id, kind, timestamp, actor, payload, trace_id } = record;
    pb::Record {
        index,
        id: id.to_string(),
        kind,
        timestamp: Some(timestamp_to_wire(timestamp)),
        actor: Some(actor_to_wire(actor)),
        payload_json: json_to_wire(payload),
        trace_id,
    }
}

pub(super) fn record_from_wire(record: Option<pb::Record>) -> Result<Record> {
    let pb::Record { index, id, kind, timestamp, actor, payload_json, trace_id } =
        required(record, "record")?;
    Ok(Record {
        index,
        id: parsed(id)?,
        kind,
        timestamp: timestamp_from_wire(timestamp, "record.timestamp")?,
        actor: actor_from_wire(actor)?,
        payload: json_as_recorded(&payload_json)?,
        trace_id,
    })
}

pub(super) fn record_frame(record: Record) -> pb::RecordFrame {
    pb::RecordFrame { frame: Some(Frame::Record(record_to_wire(record))) }
}

pub(super) fn end_frame() -> pb::RecordFrame {
    pb::RecordFrame { frame: Some(Frame::End(End {})) }
}

/// A record, or none at the end.
pub(super) fn frame_from_wire(frame: pb::RecordFrame) -> Result<Option<Record>> {
    let pb::RecordFrame { frame } = frame;
    match required(frame, "frame")? {
        Frame::Record(record) => record_from_wire(Some(record)).map(Some),
        Frame::End(End {}) => Ok(None),
    }
}

pub(super) fn filter_to_wire(filter: Filter) -> pb::Filter {
    let Filter { since, until, id, connector, class, kind, limit } = filter;
    pb::Filter {
        since: since.map(timestamp_to_wire),
        until: until.map(timestamp_to_wire),
        id: text_if(id),
        connector: text_if(connector),
        class: text_if(class),
        kind,
        limit,
    }
}

pub(super) fn filter_from_wire(filter: Option<pb::Filter>) -> Result<Filter> {
    let pb::Filter { since, until, id, connector, class, kind, limit } =
        required(filter, "filter")?;
    Ok(Filter {
        since: timestamp_if(since, "filter.since")?,
        until: timestamp_if(until, "filter.until")?,
        id: parsed_if(id)?,
        connector: parsed_if(connector)?,
        class: parsed_if(class)?,
        kind,
        limit,
    })
}

pub(super) fn checkpoint_to_wire(checkpoint: Checkpoint) -> pb::GetCheckpointResponse {
    let Checkpoint { note, verifier_key, size } = checkpoint;
    pb::GetCheckpointResponse { note, verifier_key, size }
}

pub(super) fn checkpoint_from_wire(checkpoint: pb::GetCheckpointResponse) -> Checkpoint {
    let pb::GetCheckpointResponse { note, verifier_key, size } = checkpoint;
    Checkpoint { note, verifier_key, size }
}

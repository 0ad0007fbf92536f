//! The types of the custody contract, field by field.

use aileron_contract::{
    Result, Secret,
    custody::{Exported, Imported, LoginValue},
};
use aileron_proto::vault::v1 as pb;

use crate::message::{Wire, messages, must_be_there};

messages! {
    Imported => pb::ImportResponse { added, replaced, unchanged }
}

impl Wire<pb::LoginValue> for LoginValue {
    fn into_wire(self) -> pb::LoginValue {
        let Self { value, kind, environment, labels } = self;
        pb::LoginValue { value: value.into_wire(), kind, environment, labels }
    }

    fn from_wire(message: pb::LoginValue, _field: &'static str) -> Result<Self> {
        let pb::LoginValue { value, kind, environment, labels } = message;
        Ok(Self { value: Secret::new(value), kind, environment, labels })
    }
}

must_be_there!(LoginValue => pb::LoginValue);

impl Wire<pb::ExportResponse> for Exported {
    fn into_wire(self) -> pb::ExportResponse {
        let Self { file, entries } = self;
        pb::ExportResponse { file, entries }
    }

    fn from_wire(message: pb::ExportResponse, _field: &'static str) -> Result<Self> {
        let pb::ExportResponse { file, entries } = message;
        Ok(Self { file, entries })
    }
}

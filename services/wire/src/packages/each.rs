//! What became of each of several: a refusal of one is a part of the answer, not the answer.

use aileron_contract::{
    Error, Result,
    packages::{ActionPreview, InstalledAction},
};
use aileron_proto::executor::v1 as pb;
use pb::{action_installed, action_previewed};

use crate::{
    message::{Wire, invalid, read, required},
    status::{bounded_details, bounded_text},
};

impl Wire<pb::ActionPreviewed> for Result<ActionPreview> {
    fn into_wire(self) -> pb::ActionPreviewed {
        let outcome = match self {
            Ok(preview) => action_previewed::Outcome::Preview(preview.into_wire()),
            Err(error) => action_previewed::Outcome::Refused(error.into_wire()),
        };
        pb::ActionPreviewed { outcome: Some(outcome) }
    }

    fn from_wire(previewed: pb::ActionPreviewed, field: &'static str) -> Result<Self> {
        let pb::ActionPreviewed { outcome } = previewed;
        Ok(match required(outcome, field)? {
            action_previewed::Outcome::Preview(preview) => Ok(read(preview, field)?),
            action_previewed::Outcome::Refused(refused) => Err(read(refused, field)?),
        })
    }
}

impl Wire<pb::ActionInstalled> for Result<InstalledAction> {
    fn into_wire(self) -> pb::ActionInstalled {
        let outcome = match self {
            Ok(installed) => action_installed::Outcome::Installed(installed.into_wire()),
            Err(error) => action_installed::Outcome::Refused(error.into_wire()),
        };
        pb::ActionInstalled { outcome: Some(outcome) }
    }

    fn from_wire(installed: pb::ActionInstalled, field: &'static str) -> Result<Self> {
        let pb::ActionInstalled { outcome } = installed;
        Ok(match required(outcome, field)? {
            action_installed::Outcome::Installed(installed) => Ok(read(installed, field)?),
            action_installed::Outcome::Refused(refused) => Err(read(refused, field)?),
        })
    }
}

/// As a status carries it: the source stays here, and texts are bounded.
impl Wire<pb::Refused> for Error {
    fn into_wire(self) -> pb::Refused {
        pb::Refused {
            reason: self.reason().code().to_owned(),
            message: bounded_text(self.public()),
            details_json: self.details().map(bounded_details),
        }
    }

    fn from_wire(refused: pb::Refused, field: &'static str) -> Result<Self> {
        let pb::Refused { reason, message, details_json } = refused;
        let reason = reason
            .parse()
            .map_err(|_| invalid(format!("{field}: {reason:?} is no reason this version knows")))?;
        let error = Self::new(reason, message);
        let Some(details) = details_json else { return Ok(error) };
        let details = serde_json::from_str(&details).map_err(|cause| {
            invalid(format!("{field}: the details are no JSON")).caused_by(cause)
        })?;
        Ok(error.with_details(details))
    }
}

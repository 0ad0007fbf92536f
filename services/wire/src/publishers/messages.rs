//! The types of the publishers contract, field by field.

use aileron_contract::{
    Result,
    publishers::{
        ActionOffer, ConfirmedKey, ConnectorOffer, DistrustRequest, HubAuthority, HubConflict,
        HubCopy, HubDecision, HubEntry, HubFound, HubListing, HubOffer, HubProblem, Keyring,
        PublishedKey, SuiteOffer, Trusted, TrustedKey, Wanted,
    },
};
use aileron_proto::executor::v1::{
    self as pb, confirm_request::Wanted as WantedMessage, distrust_request::Which, hub_entry::Offer,
};

use crate::message::{Wire, messages, must_be_there, read};

// keys
messages! {
    Keyring => pb::Keyring { keys, verified, path }

    TrustedKey => pb::TrustedKey { authority, key, fingerprint }

    PublishedKey => pb::PublishedKey {
        authority, key, fingerprint, trusted, fetched_at, source,
    }

    Trusted => pb::TrustResponse { key, already, path }
}

impl Wire<Which> for DistrustRequest {
    fn into_wire(self) -> Which {
        match self {
            Self::Authority(authority) => Which::Authority(authority.into_wire()),
            Self::Fingerprint(fingerprint) => Which::Fingerprint(fingerprint),
        }
    }

    fn from_wire(which: Which, field: &'static str) -> Result<Self> {
        Ok(match which {
            Which::Authority(authority) => Self::Authority(read(authority, field)?),
            Which::Fingerprint(fingerprint) => Self::Fingerprint(fingerprint),
        })
    }
}

must_be_there!(DistrustRequest => Which);

// the Hub
messages! {
    HubListing => pb::HubListing { entries, problems, copy }

    HubFound => pb::HubFound { entry, copy }

    HubEntry => pb::HubEntry { fqn, description, publisher, offer, conflicts }

    ConnectorOffer => pb::ConnectorOffer { key_url, release_pattern }

    ActionOffer => pb::ActionOffer { connector, intents, category }

    SuiteOffer => pb::SuiteOffer { members, connectors, category }

    HubConflict => pb::HubConflict { kind, detail }

    HubProblem => pb::HubProblem { file, line, message }

    HubCopy => pb::HubCopy { source, commit, fetched_at, checked_at, age_seconds, warning }

    HubDecision => pb::HubDecision { entry, authorities }

    HubAuthority => pb::HubAuthority { connector, publisher, fingerprint, trust, footprint, risks }
}

impl Wire<Offer> for HubOffer {
    fn into_wire(self) -> Offer {
        match self {
            Self::Connector(offer) => Offer::Connector(offer.into_wire()),
            Self::Action(offer) => Offer::Action(offer.into_wire()),
            Self::Suite(offer) => Offer::Suite(offer.into_wire()),
        }
    }

    fn from_wire(offer: Offer, field: &'static str) -> Result<Self> {
        Ok(match offer {
            Offer::Connector(offer) => Self::Connector(read(offer, field)?),
            Offer::Action(offer) => Self::Action(read(offer, field)?),
            Offer::Suite(offer) => Self::Suite(read(offer, field)?),
        })
    }
}

must_be_there!(HubOffer => Offer);

messages! {
    ConfirmedKey => pb::ConfirmedKey { connector, fingerprint }
}

impl Wire<WantedMessage> for Wanted {
    fn into_wire(self) -> WantedMessage {
        match self {
            Self::Connector(request) => WantedMessage::Connector(request.into_wire()),
            Self::Action(request) => WantedMessage::Action(request.into_wire()),
        }
    }

    fn from_wire(wanted: WantedMessage, field: &'static str) -> Result<Self> {
        Ok(match wanted {
            WantedMessage::Connector(request) => Self::Connector(read(request, field)?),
            WantedMessage::Action(request) => Self::Action(read(request, field)?),
        })
    }
}

must_be_there!(Wanted => WantedMessage);

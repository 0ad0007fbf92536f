//! Domain types and the messages they travel as. Absent or unknown input is refused, never
//! replaced by a default.
//!
//! Each contract's `messages` file lists its types field by field; how a *kind* of field travels
//! is said once, here and in [`values`](crate::values).

use aileron_contract::{Error, Reason, Result};

/// A domain type that travels as the message, or the message's field, `M`.
pub(crate) trait Wire<M>: Sized {
    fn into_wire(self) -> M;

    /// `field` says in an error where the value stood, such as `Run.requested_at`.
    fn from_wire(message: M, field: &'static str) -> Result<Self>;
}

/// Reads what arrived in `field`.
pub(crate) fn read<T: Wire<M>, M>(message: M, field: &'static str) -> Result<T> {
    T::from_wire(message, field)
}

/// A message field that must be there.
pub(crate) fn required<T>(value: Option<T>, field: &'static str) -> Result<T> {
    value.ok_or_else(|| invalid(format!("the field {field} is missing")))
}

pub(crate) fn invalid(public: impl Into<Box<str>>) -> Error {
    Error::new(Reason::InvalidRequest, public)
}

/// What may be absent in the domain may be absent in the message.
impl<T: Wire<M>, M> Wire<Option<M>> for Option<T> {
    fn into_wire(self) -> Option<M> {
        self.map(T::into_wire)
    }

    fn from_wire(message: Option<M>, field: &'static str) -> Result<Self> {
        message.map(|message| T::from_wire(message, field)).transpose()
    }
}

/// Every item, or the first that cannot be read.
impl<T: Wire<M>, M> Wire<Vec<M>> for Vec<T> {
    fn into_wire(self) -> Vec<M> {
        self.into_iter().map(T::into_wire).collect()
    }

    fn from_wire(message: Vec<M>, field: &'static str) -> Result<Self> {
        message.into_iter().map(|item| T::from_wire(item, field)).collect()
    }
}

/// Protobuf has no required message fields: where the domain needs a value, an absent one is
/// refused.
macro_rules! must_be_there {
    ($($domain:ty => $message:ty),+ $(,)?) => {$(
        impl $crate::message::Wire<Option<$message>> for $domain {
            fn into_wire(self) -> Option<$message> {
                Some($crate::message::Wire::into_wire(self))
            }

            fn from_wire(
                message: Option<$message>,
                field: &'static str,
            ) -> ::aileron_contract::Result<Self> {
                $crate::message::read($crate::message::required(message, field)?, field)
            }
        }
    )+};
}
pub(crate) use must_be_there;

/// Lists types whose fields are those of a message, one for one; a field left out on either side
/// does not compile. `field = other` names a field that is called otherwise on the wire.
macro_rules! messages {
    ($($domain:ident => $($message:ident)::+ {
        $($field:ident $(= $other:ident)?),+ $(,)?
    })+) => {$(
        impl $crate::message::Wire<$($message)::+> for $domain {
            fn into_wire(self) -> $($message)::+ {
                let Self { $($field),+ } = self;
                $(let $field = $crate::message::Wire::into_wire($field);)+
                $($message)::+ { $($($other:)? $field),+ }
            }

            fn from_wire(
                message: $($message)::+,
                _field: &'static str,
            ) -> ::aileron_contract::Result<Self> {
                let $($message)::+ { $($($other:)? $field),+ } = message;
                Ok(Self {
                    $($field: $crate::message::read(
                        $field,
                        concat!(stringify!($domain), ".", stringify!($field)),
                    )?),+
                })
            }
        }

        $crate::message::must_be_there!($domain => $($message)::+);
    )+};
}
pub(crate) use messages;

//! Which trace a call belongs to, as callers say it in a `traceparent` header.

use std::{fmt, str::FromStr};

/// The `traceparent` header of W3C Trace Context, level 1 (section 3.2): a trace, the span in it
/// that is the parent of what follows, and whether the caller records. Neither id is zero.
///
/// Written as `00-<32 hex>-<16 hex>-<2 hex>`, hexadecimal digits in lower case. Fields that a
/// later version appends are passed over; of the flags only `sampled` is kept, because the others
/// mean nothing at this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

impl TraceParent {
    /// The name of the header.
    pub const HEADER: &str = "traceparent";

    /// None when an id is zero, which the format has for "no trace".
    pub fn new(trace: [u8; 16], span: [u8; 8], sampled: bool) -> Option<Self> {
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span, sampled })
    }

    /// The id of the whole trace.
    pub fn trace(&self) -> [u8; 16] {
        self.trace
    }

    /// The id of the parent span.
    pub fn span(&self) -> [u8; 8] {
        self.span
    }

    /// Does the caller say that it records the trace?
    pub fn sampled(&self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (hex::encode(self.trace), hex::encode(self.span));
        write!(f, "00-{trace}-{span}-{:02x}", u8::from(self.sampled))
    }
}

/// The text is no `traceparent`. It costs the link to the caller's trace, never the call.
#[derive(Debug, thiserror::Error)]
#[error("not a traceparent header")]
pub struct Malformed;

impl FromStr for TraceParent {
    type Err = Malformed;

    fn from_str(raw: &str) -> Result<Self, Malformed> {
        let mut fields = raw.split('-');
        let mut field = || fields.next().ok_or(Malformed);
        let [version] = digits(field()?)?;
        let (trace, span) = (digits(field()?)?, digits(field()?)?);
        let [flags] = digits(field()?)?;
        // Later versions may append fields; version 00 has four, and ff is none.
        if version == 0xff || (version == 0 && fields.next().is_some()) {
            return Err(Malformed);
        }
        Self::new(trace, span, flags & SAMPLED != 0).ok_or(Malformed)
    }
}

/// The one flag of level 1.
const SAMPLED: u8 = 1;

/// Exactly `N` bytes in lower case hexadecimal.
fn digits<const N: usize>(field: &str) -> Result<[u8; N], Malformed> {
    if field.bytes().any(|c| c.is_ascii_uppercase()) {
        return Err(Malformed);
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(field, &mut bytes).map_err(|_| Malformed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_trace_reads_back_as_itself(
            trace: [u8; 16],
            span: [u8; 8],
            sampled: bool,
        ) {
            if let Some(parent) = TraceParent::new(trace, span, sampled) {
                prop_assert_eq!(parent.to_string().parse::<TraceParent>().unwrap(), parent);
            }
        }

        #[test]
        fn what_is_read_is_what_the_header_says(
            raw in "(00|01|ff|0)-([0-9a-f]{32}|[0-9a-fA-F]{0,33})-([0-9a-f]{16}|[ -~]{0,17})-(0[0-3]|[ -~]{0,3})",
        ) {
            if let Ok(parent) = raw.parse::<TraceParent>() {
                let written = parent.to_string();
                prop_assert_eq!(raw.get(2..53), written.get(2..53));
            }
        }

        #[test]
        fn nothing_makes_the_reader_fail_otherwise(raw in ".{0,80}") {
            drop(raw.parse::<TraceParent>());
        }
    }

    #[test]
    fn a_malformed_trace_is_refused() {
        for raw in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(raw.parse::<TraceParent>().is_err(), "{raw}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_this_one_goes() {
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what-comes";
        let read = later.parse::<TraceParent>().unwrap();
        let written = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(read.to_string(), written);
        assert!(read.sampled());
    }
}

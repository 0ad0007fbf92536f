//! Hides a credential in what an upstream answers.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use bytes::Bytes;
use zeroize::Zeroizing;

mod forms;
use forms::{Forms, Found};

use crate::guarded::Memory;

/// What stands in the credential's place: of one length, so that it tells nothing.
pub(crate) const MASK: &[u8] = b"********";

/// Replaces every occurrence of some secrets in a stream of bytes: as they are (in capitals or
/// not), in hexadecimal, in base64 at any alignment; each of these percent-encoded, in
/// quoted-printable, or escaped as in JSON, JavaScript or HTML, and that twice over; with line
/// breaks in it wherever they fall. A guard against echoes: an upstream that holds the credential
/// and wants to hand it over can always find a form nobody looks for.
///
/// What comes out does not depend on where the stream was cut. What need not be changed is not
/// copied.
#[derive(Clone, Default)]
pub(crate) struct Masker {
    /// None masks nothing.
    forms: Option<Forms>,
    pending: Zeroizing<Vec<u8>>,
    /// Bytes at the start of `pending` that a mask already stands for.
    hidden: usize,
    /// There was not time enough for all that came.
    behind: bool,
}

/// How long one step may take: a text made of the beginnings of a long secret takes time with the
/// square of its length, and others wait for the processor.
const STEP: Duration = Duration::from_millis(5);

/// How many places are looked at between two looks at the clock.
const LOOKS: usize = 32;

/// How many of the next bytes are joined to those that wait, to begin with: nearly always they
/// tell, and all the others need not be copied.
const BRIDGE: usize = 64;

impl Masker {
    /// What is known of the secrets lies in `memory`; an error when that is not to be had.
    pub(crate) fn new(secrets: &[&[u8]], memory: Memory) -> rustix::io::Result<Self> {
        Ok(Self { forms: Forms::of(secrets, memory)?, ..Self::default() })
    }

    /// Takes the next bytes; returns those that are certain.
    pub(crate) fn feed(&mut self, bytes: Bytes) -> Bytes {
        if self.forms.is_none() { bytes } else { self.advance(bytes, false) }
    }

    /// Nothing follows: returns the rest.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.advance(Bytes::new(), true)
    }

    /// Was there not time enough? Then the same is asked again, with nothing new, after others
    /// had their turn.
    pub(crate) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Masks a whole text.
    pub(crate) fn whole<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(forms) = &self.forms else { return Cow::Borrowed(text) };
        if text.len() < forms.shortest() {
            return Cow::Borrowed(text);
        }
        match pass(forms, text, 0, true, None) {
            Passed { masked: None, .. } => Cow::Borrowed(text),
            Passed { masked: Some(masked), .. } => Cow::Owned(masked),
        }
    }

    /// Would anything in the text be masked?
    pub(crate) fn finds(&self, text: &[u8]) -> bool {
        matches!(self.whole(text), Cow::Owned(_))
    }

    fn advance(&mut self, mut bytes: Bytes, last: bool) -> Bytes {
        let mut step = Step::default();
        let mut certain = Vec::new();
        let mut bridge = BRIDGE;
        while !self.pending.is_empty() && !self.behind && bytes.len() > bridge {
            let text = joined(&mut self.pending, &bytes.split_to(bridge));
            certain.extend_from_slice(&self.step(text, false, &mut step));
            bridge = bridge.saturating_mul(2);
        }
        let text = if self.pending.is_empty() { bytes } else { joined(&mut self.pending, &bytes) };
        let rest = self.step(text, last, &mut step);
        if certain.is_empty() {
            return rest;
        }
        certain.extend_from_slice(&rest);
        certain.into()
    }

    fn step(&mut self, text: Bytes, last: bool, step: &mut Step) -> Bytes {
        let Some(forms) = &self.forms else { return text };
        let passed = pass(forms, &text, self.hidden, last, Some(step));
        let Passed { masked, from, until, hidden, tired } = passed;
        self.behind = tired;
        self.pending = Zeroizing::new(text.get(until..).unwrap_or_default().to_vec());
        self.hidden = hidden.saturating_sub(until);
        match masked {
            Some(masked) => Bytes::from(masked),
            None => text.slice(from.min(until)..until),
        }
    }
}

/// How long something takes, from its first look at the clock: most of it ends before.
#[derive(Default)]
struct Step {
    looks: usize,
    end: Option<Instant>,
}

impl Step {
    /// Another place was looked at. Is the time over?
    fn is_over(&mut self) -> bool {
        self.looks = self.looks.saturating_add(1);
        if !self.looks.is_multiple_of(LOOKS) {
            return false;
        }
        let now = Instant::now();
        *self.end.get_or_insert_with(|| now.checked_add(STEP).unwrap_or(now)) <= now
    }
}

/// How far a text was gone through.
struct Passed {
    /// All that is certain. None when nothing had to be masked: then it is what lies between
    /// `from` and `until`.
    masked: Option<Vec<u8>>,
    from: usize,
    until: usize,
    /// A mask stands for everything up to here.
    hidden: usize,
    /// The time was over first.
    tired: bool,
}

/// Goes through a text up to where more of it is needed. A mask that was written already stands
/// for the first `hidden` bytes. Ends soon after the step is over, if one is given.
fn pass(
    forms: &Forms,
    text: &[u8],
    mut hidden: usize,
    last: bool,
    mut step: Option<&mut Step>,
) -> Passed {
    let mut masked: Option<Vec<u8>> = None;
    // Bytes before it are written, or a mask stands for them.
    let mut from = hidden;
    let mut places = forms.places(text);
    let mut next = |at| places.as_mut().map_or(at, |places| places.from(at));
    let mut at = next(0);
    let mut tired = false;
    while at < text.len() {
        if step.as_mut().is_some_and(|step| step.is_over()) {
            tired = true;
            break;
        }
        match forms.find(text, at, last) {
            Found::Undecided => break,
            Found::Nothing => {}
            Found::Until(end) => {
                if at >= hidden {
                    let masked = masked.get_or_insert_with(|| Vec::with_capacity(text.len()));
                    masked.extend_from_slice(text.get(from..at).unwrap_or_default());
                    masked.extend_from_slice(MASK);
                }
                hidden = hidden.max(end);
                from = hidden;
            }
        }
        at = next(at + 1);
    }
    let until = at.min(text.len());
    if let Some(masked) = &mut masked {
        masked.extend_from_slice(text.get(from..until).unwrap_or_default());
    }
    Passed { masked, from, until, hidden, tired }
}

/// What was left before the next bytes, with them. Wiped: together they may be the secret.
fn joined(pending: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) -> Bytes {
    if bytes.is_empty() {
        return Bytes::from_owner(std::mem::take(pending));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(pending.len() + bytes.len()));
    text.extend_from_slice(pending);
    text.extend_from_slice(bytes);
    Bytes::from_owner(text)
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker(..)")
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "lin_api_K3y/with+odd\"chars=";

    fn masker(secret: &str) -> Masker {
        Masker::new(&[secret.as_bytes()], Memory::Plain).unwrap()
    }

    fn spelled(text: &str, spelling: impl Fn(u8) -> String) -> String {
        text.bytes().map(spelling).collect()
    }

    fn masked(text: &str) -> String {
        String::from_utf8(masker(SECRET).whole(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn every_form_of_the_secret_is_masked() {
        let percent: String = spelled(SECRET, |c| format!("%{c:02x}"));
        let unicode: String = spelled(SECRET, |c| format!("\\u{c:04X}"));
        let entities: String = spelled(SECRET, |c| format!("&#{c};"));
        for form in [
            SECRET.to_owned(),
            hex::encode(SECRET),
            hex::encode_upper(SECRET),
            percent,
            url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect(),
            unicode,
            entities,
            SECRET.replace('"', "\\\"").replace('/', "\\/"),
            SECRET.replace('"', "&quot;"),
            SECRET.to_ascii_uppercase(),
            SECRET.to_ascii_lowercase(),
        ] {
            assert_eq!(masked(&format!("<{form}>")), "<********>", "{form}");
        }
    }

    #[test]
    fn what_is_escaped_twice_or_in_quoted_printable_is_masked() {
        let json = serde_json::to_string(SECRET).unwrap();
        let nested = serde_json::to_string(&json).unwrap();
        let percent: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let unicode = spelled(SECRET, |c| format!("\\u{c:04x}"));
        for form in [
            nested.trim_start_matches(['"', '\\']).trim_end_matches(['"', '\\']).to_owned(),
            percent.replace('%', "%25"),
            spelled(SECRET, |c| {
                format!(
                    "%25%{:02x}%{:02X}",
                    b"0123456789abcdef"[usize::from(c >> 4)],
                    b"0123456789abcdef"[usize::from(c & 15)]
                )
            }),
            unicode.replace('\\', "\\\\"),
            unicode.replace('\\', "%5C"),
            SECRET.replace('"', "&amp;quot;"),
            SECRET.replace('/', "\\\\/").replace('"', "\\\\\\\""),
            SECRET.replace('/', "=2F").replace('=', "=3D").replace("=3D2F", "=2F"),
            spelled(SECRET, |c| format!("={c:02X}")),
            hex::encode(SECRET).replace('6', "%2536"),
        ] {
            assert_eq!(masked(&format!("<{form}>")), "<********>", "{form}");
        }
    }

    #[test]
    fn what_is_broken_into_lines_is_masked_wherever_the_lines_end() {
        let long = SECRET.repeat(5);
        let known = masker(&long);
        let breaks = ["\n", "\r\n", "\n  ", "=\r\n", "\\n", "\\r\\n", "\\\\n", "%0A", "%0D%0A"];
        for encoded in [long.clone(), hex::encode(&long), BASE64_STANDARD.encode(&long)] {
            for (line, fold) in [64, 76, 7, 1].into_iter().flat_map(|n| breaks.map(|b| (n, b))) {
                let lines: Vec<_> = encoded.as_bytes().chunks(line).collect();
                let text = format!("<{}>", lines.join(fold.as_bytes()).escape_ascii());
                let text = text.replace("\\r", "\r").replace("\\n", "\n");
                let hidden = known.whole(text.as_bytes());
                // A base64 text may end in characters that share bits with nothing, or are padding.
                let rest = hidden.len().saturating_sub("<********>".len());
                assert!(rest <= 2 + fold.len(), "{line} {fold:?} {}", hidden.escape_ascii());
            }
        }
    }

    #[test]
    fn lines_of_a_text_that_are_no_secret_stay() {
        let text = "lin_api\n_K3x\nlin_api=\r\n_key=2\n a=b&c=d%20\\n";
        assert_eq!(masked(text), text);
    }

    #[test]
    fn base64_is_masked_at_every_alignment() {
        for before in ["", "u", "us", "user:", "Bearer "] {
            for after in ["", "x", "xy", " and more"] {
                let text = format!("{before}{SECRET}{after}");
                for form in [
                    BASE64_STANDARD.encode(&text),
                    BASE64_URL_SAFE_NO_PAD.encode(&text),
                    BASE64_STANDARD.encode(&text).replace('+', "%2B").replace('/', "\\/"),
                ] {
                    let hidden = masked(&form);
                    // All but the characters that share bits with their neighbours.
                    let own = (SECRET.len() * 8 - 10) / 6;
                    let rest = hidden.replace("********", "");
                    assert!(rest.len() + own <= form.len(), "{form} {hidden}");
                }
            }
        }
    }

    #[test]
    fn a_secret_that_overlaps_itself_leaves_nothing_behind() {
        assert_eq!(&*masker("abcabc").whole(b"-abcabcabc-"), b"-********-");
    }

    #[test]
    fn a_line_break_that_is_cut_in_half_hides_nothing() {
        let known = masker(SECRET);
        for fold in ["\r\n", "=\r\n", "\r%0A", "\r\\n"] {
            let (before, after) = SECRET.split_at(4);
            let text = format!("{}{before}{fold}{after}.", "x".repeat(40));
            for begin in 0..40 {
                for cut in 1..text.len() - begin {
                    let (one, other) = text.as_bytes().split_at(begin + cut);
                    let mut masker = known.clone();
                    let mut out = masker.feed(Bytes::copy_from_slice(&one[begin..])).to_vec();
                    out.extend(masker.feed(Bytes::copy_from_slice(other)));
                    out.extend(ended(&mut masker));
                    let expected = format!("{}********.", "x".repeat(40 - begin));
                    assert_eq!(out.escape_ascii().to_string(), expected, "{fold:?} {cut}");
                }
            }
        }
    }

    #[test]
    fn what_only_begins_like_the_secret_stays() {
        assert_eq!(masked("lin_api_K3x lin_api_"), "lin_api_K3x lin_api_");
        assert_eq!(&*Masker::default().whole(b"anything"), b"anything");
        assert_eq!(&*masker("").whole(b"anything"), b"anything");
    }

    #[test]
    fn what_holds_nothing_to_mask_is_handed_on_as_it_is() {
        let mut masker = masker(SECRET);
        let text = Bytes::from(b"[{\"title\":\"Notes of the week.\"}]".repeat(500));
        let out = masker.feed(text.clone());
        assert_eq!(out.as_ptr(), text.as_ptr());
        assert_eq!([&*out, &ended(&mut masker)].concat(), &*text);
    }

    fn ended(masker: &mut Masker) -> Vec<u8> {
        let mut rest = masker.finish().to_vec();
        while masker.is_behind() {
            rest.extend(masker.finish());
        }
        rest
    }

    #[test]
    fn beginnings_of_a_long_secret_are_gone_through_in_short_steps_and_nothing_is_lost() {
        let secret = "a".repeat(1_000);
        let text = Bytes::from(("a".repeat(999) + "b").repeat(3) + &secret + "c");
        let mut masker = masker(&secret);
        let mut out = masker.feed(text).to_vec();
        let mut steps = 0;
        while masker.is_behind() {
            out.extend(masker.feed(Bytes::new()));
            steps += 1;
        }
        out.extend(ended(&mut masker));
        let expected = ("a".repeat(999) + "b").repeat(3) + "********c";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert!(steps < 10_000, "each step goes on");
    }

    fn form(secret: &str, which: u8) -> String {
        match which % 9 {
            6 => serde_json::to_string(&serde_json::to_string(secret).unwrap()).unwrap(),
            7 => BASE64_STANDARD
                .encode(secret)
                .as_bytes()
                .chunks(3)
                .fold(String::new(), |lines, line| lines + "\r\n" + &String::from_utf8_lossy(line)),
            8 => spelled(secret, |c| format!("%25{c:02X}=\n")),
            0 => secret.to_owned(),
            1 => hex::encode(secret),
            2 => BASE64_STANDARD.encode(secret),
            3 => spelled(secret, |c| format!("%{c:02X}")),
            4 => serde_json::to_string(secret).unwrap(),
            _ => secret.chars().next().map(String::from).unwrap_or_default(),
        }
    }

    proptest! {
        #[test]
        fn any_chunking_masks_as_the_whole_and_leaks_nothing(
            secret in "[ab\"\\\\%&/+; ]{1,12}",
            parts in prop::collection::vec((any::<u8>(), "[ab%&;\\\\u0-9#x+\"\r\n]{0,6}"), 0..40),
            cuts in prop::collection::vec(prop_oneof![1_usize..7, 60..200_usize], 1..20),
        ) {
            let text: String =
                parts.iter().map(|(which, noise)| form(&secret, *which) + noise).collect();
            let known = masker(&secret);
            let whole = known.whole(text.as_bytes());

            let mut chunked = masker(&secret);
            let mut out = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
                out.extend(chunked.feed(Bytes::copy_from_slice(chunk)));
                while chunked.is_behind() {
                    out.extend(chunked.feed(Bytes::new()));
                }
                rest = tail;
            }
            out.extend(ended(&mut chunked));

            prop_assert_eq!(&*out, &*whole);
            prop_assert!(!known.finds(&whole), "{}", String::from_utf8_lossy(&whole));
        }
    }
}

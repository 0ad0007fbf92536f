//! Content encodings, piece by piece.

use std::io::{self, Write};

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderValue, header::GetAll};

/// Takes a body out of its encoding. What comes out of one piece is bounded by the piece.
pub(super) struct Decoder {
    inner: Inner,
    fed: bool,
}

enum Inner {
    Plain,
    // Boxed: the window and tables make them large.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
}

impl Decoder {
    pub(super) fn plain() -> Self {
        Self { inner: Inner::Plain, fed: false }
    }

    /// None for an encoding we do not know, and for several of them: a guest could decode those
    /// itself, and find in them what the mask did not.
    pub(super) fn of(encodings: GetAll<'_, HeaderValue>) -> Option<Self> {
        let mut inner = Inner::Plain;
        for encodings in encodings {
            for encoding in encodings.to_str().ok()?.split(',') {
                let next = match encoding.trim().to_ascii_lowercase().as_str() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Inner::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
                    "deflate" => Inner::Zlib(Box::new(ZlibDecoder::new(Vec::new()))),
                    _ => return None,
                };
                if !matches!(inner, Inner::Plain) {
                    return None;
                }
                inner = next;
            }
        }
        Some(Self { inner, fed: false })
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self.inner, Inner::Plain)
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        self.fed |= !piece.is_empty();
        match &mut self.inner {
            Inner::Plain => Ok(piece.to_vec()),
            Inner::Gzip(decoder) => {
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Inner::Zlib(decoder) => {
                decoder.write_all(piece)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
        }
    }

    /// The rest; an error when the encoding broke off. A body without a byte is complete.
    pub(super) fn finish(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.inner {
            Inner::Gzip(decoder) if self.fed => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Inner::Zlib(decoder) if self.fed => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Inner::Plain | Inner::Gzip(_) | Inner::Zlib(_) => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };
    use http::{HeaderMap, header::CONTENT_ENCODING};

    use super::*;

    fn decoder(encodings: &[&'static str]) -> Option<Decoder> {
        let mut headers = HeaderMap::new();
        for encoding in encodings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Decoder::of(headers.get_all(CONTENT_ENCODING))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(decoder: &mut Decoder, bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            out.append(&mut decoder.feed(piece)?);
        }
        out.append(&mut decoder.finish()?);
        Ok(out)
    }

    #[test]
    fn any_pieces_decode_to_the_same() {
        let text = b"notes and more notes ".repeat(100);
        for piece in [1, 7, 10_000] {
            let mut decoder = decoder(&["GZIP"]).unwrap();
            assert_eq!(decoded(&mut decoder, &gzip(&text), piece).unwrap(), text);
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&text).unwrap();
        let zlib = encoder.finish().unwrap();
        assert_eq!(decoded(&mut decoder(&["deflate"]).unwrap(), &zlib, 5).unwrap(), text);
    }

    #[test]
    fn an_encoding_that_breaks_off_is_an_error() {
        let bytes = gzip(b"all of it");
        let half = &bytes[..bytes.len() - 6];
        assert!(decoded(&mut decoder(&["gzip"]).unwrap(), half, 4).is_err());
        assert_eq!(decoded(&mut decoder(&["gzip"]).unwrap(), b"", 4).unwrap(), b"");
    }

    #[test]
    fn a_bomb_comes_out_in_bounded_pieces() {
        let bytes = gzip(&vec![0; 16 * 1024 * 1024]);
        let mut decoder = decoder(&["gzip"]).unwrap();
        for piece in bytes.chunks(1024) {
            assert!(decoder.feed(piece).unwrap().len() <= 2 * 1024 * 1024);
        }
    }

    #[test]
    fn encodings_nobody_asked_for_are_not_passed_on() {
        for encodings in [&["br"][..], &["gzip, gzip"], &["gzip", "deflate"], &["zstd"]] {
            assert!(decoder(encodings).is_none(), "{encodings:?}");
        }
        assert!(decoder(&["identity", ""]).unwrap().is_plain());
    }
}

//! A reader of server-sent events (WHATWG HTML, section 9.2): bytes in, events out.

/// Unless the reader is told otherwise, an event longer than this is refused: a log line is at
/// most 64 KiB.
pub(super) const EVENT: usize = 1024 * 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    /// `message` when the server gives none.
    pub(super) kind: String,
    pub(super) data: String,
}

/// The stream holds an event past the bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// What was read of the event under way.
#[derive(Debug)]
pub(super) struct Reader {
    limit: usize,
    line: Vec<u8>,
    after_return: bool,
    size: usize,
    id: Option<String>,
    kind: String,
    data: String,
}

impl Reader {
    /// Reads events of at most so many bytes.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_return: false,
            size: 0,
            id: None,
            kind: String::new(),
            data: String::new(),
        }
    }

    /// Reads on, and returns the events completed by these bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_of_line()),
                _ => {
                    self.size += 1;
                    if self.size > self.limit {
                        return Err(TooLong);
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(events)
    }

    fn end_of_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.end_of_event();
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "event" => value.clone_into(&mut self.kind),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment (the empty field) or a field we have no use for.
            _ => {}
        }
        None
    }

    fn end_of_event(&mut self) -> Option<Event> {
        self.size = 0;
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        let id = self.id.take();
        data.pop()?;
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        Some(Event { id, kind, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Vec<Event> {
        Reader::new(EVENT).read(text).unwrap()
    }

    #[test]
    fn an_event_has_an_id_a_kind_and_data() {
        let events =
            all(b": heartbeat\n\nid: 7\nevent: record\ndata: {\"a\":\ndata: 1}\n\nid: 8\n");
        let expected = Event {
            id: Some("7".to_owned()),
            kind: "record".to_owned(),
            data: "{\"a\":\n1}".to_owned(),
        };
        assert_eq!(events, [expected]);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut reader = Reader::new(EVENT);
        assert_eq!(reader.read(&vec![b'x'; EVENT + 1]), Err(TooLong));
        let mut patient = Reader::new(EVENT + 10);
        let long = ["data: ", &"x".repeat(EVENT), "\n\n"].concat();
        assert_eq!(patient.read(long.as_bytes()).unwrap()[0].data.len(), EVENT);
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(
            text in "(id: [0-9]|event: r|data: [a-z]|: c|x|é|\r|\n|\n\n|\r\n){0,30}",
            cut in any::<prop::sample::Index>(),
        ) {
            let bytes = text.as_bytes();
            let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut reader = Reader::new(EVENT);
            let mut events = reader.read(head).unwrap();
            events.extend(reader.read(tail).unwrap());
            prop_assert_eq!(events, all(bytes));
        }
    }
}

//! Server-sent events, read piece by piece as they come over the wire. The text may break anywhere: in a line, between
//! the two halves of a line's end, within a character.

use std::mem;

use anyhow::bail;

/// The most bytes of one event.
const MOST: usize = 1 << 20;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The id to resume from: this event's, else the one before.
    pub id: Option<String>,
    /// Its name; `message` where it has none.
    pub name: String,
    /// Its data, lines joined by a line feed.
    pub data: String,
}

/// Reads a stream.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    after_return: bool,
    begun: bool,
    id: Option<String>,
    name: String,
    data: String,
    has_data: bool,
}

impl Parser {
    /// A parser for a stream that goes on after the event with this id.
    pub fn resuming(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    /// Takes the next bytes; the events that they end.
    pub fn push(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<Event>> {
        let mut events = Vec::new();
        for byte in bytes {
            let ends_line = match byte {
                b'\n' => !mem::take(&mut self.after_return),
                b'\r' => {
                    self.after_return = true;
                    true
                }
                other => {
                    self.after_return = false;
                    self.line.push(*other);
                    false
                }
            };
            if ends_line {
                let line = mem::take(&mut self.line);
                events.extend(self.take_line(&line));
            }
            if self.line.len() + self.data.len() > MOST {
                bail!("an event is larger than {MOST} bytes");
            }
        }
        Ok(events)
    }

    fn take_line(&mut self, line: &[u8]) -> Option<Event> {
        let is_first = !mem::replace(&mut self.begun, true);
        let line = if is_first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            return self.end_event();
        }
        let text = String::from_utf8_lossy(line);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // Comments keep the line open; `retry` is ours to decide.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let (name, data) = (mem::take(&mut self.name), mem::take(&mut self.data));
        if !mem::take(&mut self.has_data) {
            return None;
        }
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(Event { id: self.id.clone(), name, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Vec<Event> {
        Parser::default().push(text).unwrap()
    }

    fn event(id: Option<&str>, name: &str, data: &str) -> Event {
        Event { id: id.map(str::to_owned), name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn what_a_stream_says() {
        for (text, events) in [
            ("data: one\n\n", vec![event(None, "message", "one")]),
            (
                "\u{feff}data:one\r\rdata: two\r\n\r\n",
                vec![event(None, "message", "one"), event(None, "message", "two")],
            ),
            (
                "id: 7\nevent: pop_up\ndata: a\ndata:  b\ndata\n\n",
                vec![event(Some("7"), "pop_up", "a\n b\n")],
            ),
            // An id stays until there is another; a name does not; a comment and no data are no event.
            ("id: 7\n\n: hello\n\nevent: x\n\ndata: y\n\n", vec![event(Some("7"), "message", "y")]),
            (
                "id: 7\ndata: a\n\nid\ndata: b\n\n",
                vec![event(Some("7"), "message", "a"), event(Some(""), "message", "b")],
            ),
            ("id: 1\nid: 2\0\nretry: 5\nnonsense: x\ndata:\n\n", vec![event(Some("1"), "message", "")]),
            ("data: unfinished\n", vec![]),
        ] {
            assert_eq!(all(text.as_bytes()), events, "{text:?}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::resuming(Some("7".to_owned()));
        let line = format!("data: {}\n", "x".repeat(1000));
        let outcome = (0..2000).try_for_each(|_| parser.push(line.as_bytes()).map(|_| ()));
        assert!(outcome.unwrap_err().to_string().contains("larger"));
    }

    fn line() -> impl Strategy<Value = String> {
        "[^\r\n\0]{0,20}"
    }

    proptest! {
        /// Whatever is written reads back, with any ends of lines, broken anywhere.
        #[test]
        fn what_is_written_reads_back(
            written in prop::collection::vec((prop::option::of(line()), "[a-z_]{1,10}", prop::collection::vec(line(), 1..4)), 0..5),
            ends in prop::collection::vec(0_usize..3, 1..8),
            cuts in prop::collection::vec(1_usize..9, 1..8),
        ) {
            let mut ends = ends.iter().cycle().map(|end| ["\n", "\r\n", "\r"][*end]);
            let (mut text, mut expected, mut last) = (String::from(": hello\n"), Vec::new(), None);
            for (id, name, data) in written {
                let mut put = |line: String| text += &(line + ends.next().unwrap());
                if let Some(id) = id {
                    put(format!("id: {id}"));
                    last = Some(id);
                }
                put(format!("event: {name}"));
                data.iter().for_each(|line| put(format!("data: {line}")));
                put(String::new());
                // A return before a line feed is one end of a line: end the event for certain.
                put(String::new());
                expected.push(Event { id: last.clone(), name, data: data.join("\n") });
            }
            text += "\n\n";
            let (mut parser, mut read, mut rest) = (Parser::default(), Vec::new(), text.as_bytes());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                read.extend(parser.push(piece).unwrap());
                rest = after;
            }
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parser::default().push(&bytes);
        }
    }
}

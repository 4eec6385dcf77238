//! Server-sent events: bytes in any pieces become the `data` of whole events.
//!
//! Follows the event-stream format of the HTML standard: lines end with LF, CR or CRLF, lines that start with a colon are
//! comments, several `data` lines of one event are joined by a line feed. Names, ids and retry times of events are not kept,
//! because serving endpoints give them no meaning.

use crate::error::{Error, ErrorKind, Result};

/// An event longer than this ends the stream: no model sends one, and memory is finite.
const MAX_EVENT_BYTES: usize = 16 << 20;

/// Cuts a byte stream into events.
///
/// ```
/// let mut events = lakelet::http::sse::Decoder::default();
/// events.push(b": hello\r\ndata: {\"a\"")?;
/// assert_eq!(events.next(), None);
/// events.push(b":1}\r\n\r\n")?;
/// assert_eq!(events.next().as_deref(), Some(&b"{\"a\":1}"[..]));
/// # Ok::<(), lakelet::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    /// The data of the event that is being read; `None` before its first `data` line.
    data: Option<Vec<u8>>,
    /// Events read and not yet taken.
    ready: std::collections::VecDeque<Vec<u8>>,
    /// The last byte was a CR, so an LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Decoder {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) when an event grows without end.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            self.after_cr = false;
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, tail) = rest.split_at(end);
            self.line.extend_from_slice(line);
            self.end_line();
            let cr = tail.first() == Some(&b'\r');
            rest = tail.get(1..).unwrap_or_default();
            self.after_cr = cr && rest.is_empty();
            if cr {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.line.extend_from_slice(rest);
        let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if held > MAX_EVENT_BYTES {
            return Err(Error::new(ErrorKind::Protocol, "the stream sent an event of more than 16 MiB"));
        }
        Ok(())
    }

    /// The data of the next whole event.
    #[allow(clippy::should_implement_trait)] // not an iterator: it may have more after it had none
    pub fn next(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// The stream has ended: the data of an event whose blank line never came, which may be cut short.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        self.end_line();
        self.data.take()
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.is_empty() {
            self.ready.extend(self.data.take());
        } else if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = "\u{feff}: comment\r\ndata: {\"ä\":\r\ndata:1}\r\n\r\nevent: x\nid: 7\ndata: two\n\n\n\rdata:  three\r\rdata: [DONE]".as_bytes();

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            decoder.push(piece).unwrap();
            events.extend(std::iter::from_fn(|| decoder.next()));
        }
        events.extend(decoder.finish());
        events.into_iter().map(|event| String::from_utf8(event).unwrap()).collect()
    }

    #[test]
    fn any_cut_gives_the_same_events() {
        let whole = read(&[STREAM]);
        assert_eq!(whole, ["{\"ä\":\n1}", "two", " three", "[DONE]"]);
        for at in 0..STREAM.len() {
            let (head, tail) = STREAM.split_at(at);
            assert_eq!(read(&[head, b"", tail]), whole, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..32).find_map(|_| decoder.push(&piece).err());
        assert_eq!(refused.map(|error| error.kind()), Some(ErrorKind::Protocol));
    }
}

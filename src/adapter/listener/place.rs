//! Where the value of a field stands in a reply, as its characters arrive.

use crate::adapter::chat::{Header, Match, is_line_end};

/// What stands around values in the replies of an adapter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `[[ ## name ## ]]` before each.
    Headers,
    /// The members of a JSON object.
    Json,
    /// `<name>` before and `</name>` after each.
    Tags,
}

/// Finds one field's value in a reply. Each character is looked at once.
pub(super) struct Place {
    reply: String,
    state: State,
    /// Where the value begins.
    begin: Option<usize>,
    /// Where it ends.
    end: Option<usize>,
}

/// How far the text is understood.
enum State {
    /// The line may be a header yet: what it matches, and where it does since.
    Headers { line: Option<Header>, since: Option<usize> },
    /// So many brackets deep, inside a string or not.
    Json { depth: usize, quoted: bool, escaped: bool },
    /// Where the last tag opened.
    Tags { since: usize },
}

impl Format {
    /// What begins the value of a field.
    pub(super) fn opening(self, field: &str) -> String {
        match self {
            Self::Headers => format!("[[ ## {field} ## ]]"),
            Self::Json => format!("\"{field}\":"),
            Self::Tags => format!("<{field}>"),
        }
    }

    /// What DSPy takes for the first sign of such a beginning.
    pub(super) fn sign(self) -> char {
        match self {
            Self::Headers => '[',
            Self::Json => '"',
            Self::Tags => '<',
        }
    }

    /// Whether DSPy holds text back because it could hold the beginning of what ends a value.
    pub(super) fn may_end(self, text: &str) -> bool {
        let (ends, inside): (&[&str], _) = match self {
            Self::Headers => (&["[", "[[ #"], "[[ ##"),
            Self::Json => (&["\"", "\","], "}"),
            Self::Tags => (&["<"], "</"),
        };
        ends.iter().any(|end| text.ends_with(end)) || text.contains(inside)
    }
}

impl Place {
    pub(super) fn new(format: Format) -> Self {
        let state = match format {
            Format::Headers => State::Headers { line: Some(Header::default()), since: None },
            Format::Json => State::Json { depth: 0, quoted: false, escaped: false },
            Format::Tags => State::Tags { since: 0 },
        };
        Self { reply: String::new(), state, begin: None, end: None }
    }

    /// All of the reply so far.
    pub(super) fn reply(&self) -> &str {
        &self.reply
    }

    pub(super) fn begin(&self) -> Option<usize> {
        self.begin
    }

    pub(super) fn end(&self) -> Option<usize> {
        self.end
    }

    /// The end of what is sure to belong to the value, if it has begun.
    pub(super) fn sure(&self, field: &str) -> usize {
        let doubt = match self.state {
            State::Headers { since, .. } => since,
            State::Json { .. } => None,
            State::Tags { since } => self.reply.get(since..).and_then(|tag| {
                let name = tag.strip_prefix("</");
                ("</".starts_with(tag) || name.is_some_and(|name| field.starts_with(name))).then_some(since)
            }),
        };
        self.end.or(doubt).unwrap_or(self.reply.len())
    }

    /// Takes the next piece of the reply.
    pub(super) fn push(&mut self, piece: &str, field: &str) {
        for c in piece.chars() {
            let at = self.reply.len();
            self.reply.push(c);
            self.take(c, at, field);
        }
    }

    /// Looks for the field once more, from here on.
    pub(super) fn again(&mut self) {
        (self.begin, self.end) = (None, None);
    }

    fn take(&mut self, c: char, at: usize, field: &str) {
        let is_inside = self.begin.is_some() && self.end.is_none();
        match &mut self.state {
            State::Headers { line, since } => {
                if is_line_end(c) {
                    (*line, *since) = (Some(Header::default()), None);
                    return;
                }
                let Some(header) = line else { return };
                match header.advance(c) {
                    Match::Open if header.is_begun() => {
                        since.get_or_insert(at);
                    }
                    Match::Open => {}
                    Match::No => (*line, *since) = (None, None),
                    Match::Whole => {
                        if is_inside {
                            self.end = *since;
                        } else if self.begin.is_none() && header.name == field {
                            self.begin = Some(at + 1);
                        }
                        // What follows the last header of a reply may be the first one of the next.
                        *line = (header.name == "completed").then(Header::default);
                        *since = None;
                    }
                }
            }
            State::Json { quoted: true, escaped, .. } if *escaped || c == '\\' => *escaped = !*escaped,
            State::Json { depth, quoted, .. } => match c {
                '"' => *quoted = !*quoted && *depth > 0,
                _ if *quoted => {}
                '{' | '[' => *depth += 1,
                '}' | ']' | ',' => {
                    if *depth == 1 && is_inside {
                        self.end = Some(at);
                    }
                    *depth = depth.saturating_sub(usize::from(c != ','));
                }
                ':' if *depth == 1 && self.begin.is_none() && ends_with_key(&self.reply, at, field) => {
                    self.begin = Some(at + 1);
                }
                _ => {}
            },
            State::Tags { since } => match c {
                '<' => *since = at,
                '>' => {
                    let name = self.reply.get(*since + 1..at).unwrap_or_default();
                    if self.begin.is_none() && name == field {
                        self.begin = Some(at + 1);
                    } else if is_inside && name.strip_prefix('/') == Some(field) {
                        self.end = Some(*since);
                    }
                }
                _ => {}
            },
        }
    }
}

/// Whether a key of that name stands before `end`.
fn ends_with_key(reply: &str, end: usize, name: &str) -> bool {
    let key = reply.get(..end).and_then(|text| text.trim_end().strip_suffix('"'));
    key.and_then(|text| text.strip_suffix(name)).is_some_and(|text| text.ends_with('"'))
}

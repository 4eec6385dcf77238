//! One field of a streamed reply, in the chunks in which DSPy's `StreamListener` yields it.

mod place;

use std::collections::VecDeque;

use place::{Format, Place};

use super::Adapter;
use crate::error::{Error, ErrorKind, Result};
use crate::lm::Delta;
use crate::python::{strip, strip_end, strip_start};
use crate::signature::{Signature, Special, Type};

/// So many chunks DSPy holds back at most while they could hold the end of a value.
const WINDOW: usize = 10;

/// Listens to one field of a model's streamed reply, as `dspy.streaming.StreamListener` does (DSPy 3.4.1).
///
/// It takes the deltas of [`LanguageModel::stream`](crate::lm::LanguageModel::stream) and yields the field in DSPy's rhythm:
/// with a chunk, or later when chunks could hold the header, the tag or the brace that ends the value. Values of a
/// `JSONAdapter` reply are the JSON text as the model wrote it. For text without quotes and escapes, of all fields at
/// once and without delay, use [`Adapter::stream`].
///
/// Where DSPy loses characters (everything from `[[` on, where no header follows) or adds some (a header that arrives in
/// more than ten chunks, the key after a JSON value), this yields the value and nothing else.
///
/// ```
/// use lakelet::{Signature, adapter::{ChatAdapter, StreamListener}, lm::Delta};
/// let signature = Signature::parse("question -> answer")?;
/// let mut listener = StreamListener::new(&ChatAdapter::default(), &signature, "answer")?;
/// let mut answer = String::new();
/// for text in ["[[ ## ans", "wer ## ]]\nPar", "is [", "FR]\n\n[[ ##", " completed ## ]]"] {
///     let delta = Delta { text: text.to_owned(), ..Delta::default() };
///     answer.extend(listener.receive(&delta).map(|chunk| chunk.text));
/// }
/// answer.extend(listener.finish().map(|chunk| chunk.text));
/// assert_eq!(answer, "Paris [FR]");
/// # Ok::<(), lakelet::Error>(())
/// ```
pub struct StreamListener {
    field: String,
    format: Format,
    /// The field takes what the endpoint tells of the model's reasoning.
    takes_reasoning: bool,
    allow_reuse: bool,
    state: State,
}

/// A part of a field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub text: String,
    /// The field is complete.
    pub is_last: bool,
}

/// What is known of one reply.
struct State {
    place: Place,
    /// Pieces of the reply so far.
    pieces: usize,
    /// A piece could hold the beginning of what opens the field.
    waiting: bool,
    started: bool,
    ended: bool,
    /// The reply has ended too.
    finished: bool,
    /// How much of the reply is told, or passed over.
    told: usize,
    /// The ends of the pieces that are held back.
    held: VecDeque<usize>,
    /// White space that belongs to the value if more text follows; `None` before the first text.
    space: Option<String>,
}

impl StreamListener {
    /// A listener to the field of that name.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported), when the replies of the adapter cannot be read as they arrive.
    pub fn new(adapter: &dyn Adapter, signature: &Signature, field: &str) -> Result<Self> {
        let format = match adapter.name() {
            "ChatAdapter" => Format::Headers,
            "XMLAdapter" => Format::Tags,
            "JSONAdapter" => Format::Json,
            name => {
                let message = format!(
                    "Unsupported adapter for streaming: {name}, please use one of the following adapters: ChatAdapter, \
                     XMLAdapter, JSONAdapter"
                );
                return Err(Error::new(ErrorKind::Unsupported, message).with_python_class("ValueError"));
            }
        };
        let takes_reasoning = signature
            .outputs()
            .any(|output| output.name == field && matches!(output.ty, Type::Special(Special::Reasoning)));
        let state = State::new(format);
        Ok(Self { field: field.to_owned(), format, takes_reasoning, allow_reuse: false, state })
    }

    /// The same listener, for one reply after another: what follows the end of the field begins a new search.
    pub fn reusable(mut self) -> Self {
        self.allow_reuse = true;
        self
    }

    /// Takes the next piece of the reply, and yields what can be told now. A delta that begins the answer anew makes the chunks before it
    /// worthless.
    pub fn receive(&mut self, delta: &Delta) -> Option<Chunk> {
        if delta.begins_anew {
            self.state = State::new(self.format);
        }
        if self.state.ended {
            if !self.allow_reuse {
                return None;
            }
            self.state.begin_again(self.format);
        }
        if self.takes_reasoning && !delta.reasoning.is_empty() {
            return Some(Chunk { text: delta.reasoning.clone(), is_last: false });
        }
        if delta.text.is_empty() {
            return None;
        }
        self.state.place.push(&delta.text, &self.field);
        self.state.pieces += 1;
        if !self.state.started && !self.starts(&delta.text) {
            return None;
        }
        let reply = self.state.place.reply();
        if self.state.told == reply.len() {
            return None;
        }
        self.state.held.push_back(reply.len());
        let end = self.state.place.end();
        let upto = match end {
            Some(end) => end,
            None => self.pace(),
        };
        self.tell(upto, end.is_some())
    }

    /// The reply has ended: yields what was held back.
    pub fn finish(&mut self) -> Option<Chunk> {
        self.state.finished = true;
        if self.state.ended || self.state.pieces < 2 || !self.state.started && !self.start() {
            self.state.ended = true;
            return None;
        }
        let place = &self.state.place;
        let upto = place.end().unwrap_or(place.reply().len());
        self.tell(upto, true).filter(|chunk| !chunk.text.is_empty())
    }

    /// Whether a reply with headers or tags came in one piece, as replies from a cache do. Nothing of it is told: the
    /// prediction has it.
    pub fn cache_hit(&self) -> bool {
        self.format != Format::Json && self.state.pieces == 1 && self.state.place.end().is_some()
    }

    /// Whether the value starts to be told. As in DSPy, the piece that could hold the beginning of its opening is only
    /// looked at together with the next one.
    fn starts(&mut self, piece: &str) -> bool {
        if !self.state.waiting {
            self.state.waiting = piece.contains(self.format.sign());
            return false;
        }
        if self.start() {
            return true;
        }
        let (opening, reply) = (self.format.opening(&self.field), strip(self.state.place.reply()));
        self.state.waiting = opening.char_indices().skip(1).any(|(end, _)| reply.ends_with(&opening[..end]));
        false
    }

    /// Starts to tell the value, if its opening has come.
    fn start(&mut self) -> bool {
        let Some(begin) = self.state.place.begin() else { return false };
        let value = self.state.place.reply().get(begin..).unwrap_or_default();
        self.state.told = begin + (value.len() - strip_start(value).len());
        self.state.started = true;
        true
    }

    /// How much of the reply can be told while the value goes on.
    fn pace(&mut self) -> usize {
        let State { place, held, told, .. } = &mut self.state;
        let sure = place.sure(&self.field);
        let reply = place.reply();
        let in_doubt = sure < reply.len() || self.format.may_end(strip(reply.get(*told..).unwrap_or_default()));
        if !in_doubt {
            held.clear();
            reply.len()
        } else if held.len() > WINDOW {
            held.pop_front().unwrap_or(*told).min(sure)
        } else {
            *told
        }
    }

    fn tell(&mut self, upto: usize, is_last: bool) -> Option<Chunk> {
        let State { place, told, space, .. } = &mut self.state;
        let text = place.reply().get(*told..upto).unwrap_or_default();
        *told = upto.max(*told);
        let text = if self.format == Format::Json { text.to_owned() } else { without_outer_space(text, space) };
        self.state.ended = is_last;
        (is_last || !text.is_empty()).then_some(Chunk { text, is_last })
    }
}

impl State {
    fn new(format: Format) -> Self {
        Self {
            place: Place::new(format),
            pieces: 0,
            waiting: false,
            started: false,
            ended: false,
            finished: false,
            told: 0,
            held: VecDeque::new(),
            space: None,
        }
    }

    /// Forgets the field; where the reply goes on, what is known of it stays.
    fn begin_again(&mut self, format: Format) {
        let known = std::mem::replace(self, Self::new(format));
        if !known.finished {
            self.place = known.place;
            self.place.again();
        }
    }
}

/// The next text of a value without white space around the whole of it: what may be its end is kept in `space`.
fn without_outer_space(text: &str, space: &mut Option<String>) -> String {
    let text = if space.is_none() { strip_start(text) } else { text };
    let bare = strip_end(text);
    if bare.is_empty() {
        if let Some(space) = space {
            space.push_str(text);
        }
        return String::new();
    }
    let after = text.get(bare.len()..).unwrap_or_default().to_owned();
    space.replace(after).unwrap_or_default() + bare
}

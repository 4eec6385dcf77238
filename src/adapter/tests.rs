//! Streams against whole replies: whatever the values and wherever the reply is cut.

use super::{Adapter, ChatAdapter, FieldUpdate, JsonAdapter, StreamListener};
use crate::lm::Delta;
use crate::signature::{Signature, Type};
use crate::value::{Map, Value};

/// Bits that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Up to so many parts, one after the other.
    fn text(&mut self, parts: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.pick(parts)).collect()
    }

    /// The same text in pieces.
    fn cut<'a>(&mut self, text: &'a str) -> Vec<&'a str> {
        let longest = [1, 2, 4, 12, 40][self.below(5)];
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let length = 1 + self.below(longest);
            let end = rest.char_indices().nth(length).map_or(rest.len(), |(end, _)| end);
            let (piece, after) = rest.split_at(end);
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

const TEXTS: [&str; 24] = [
    "a", "Let us", " ", "\n", "  \n\n", "\t", "[", "[[ ", "[[ ## ", "## ", "]]", "{", "}", "\"", "\\", "\\n",
    "\\u00e9", ",", "é", "😀", ": ", "1.5", "</", "\r\n",
];

const MARKUP: [&str; 18] = [
    "[[ ## answer ## ]]",
    "[[ ## n ## ]]\n",
    "\n[[ ## ",
    "answer",
    " ## ]]",
    "\n",
    "{\"answer\": \"",
    "\"",
    ", ",
    "}",
    "\"n\": ",
    "7",
    "[1, ",
    "]",
    "{",
    "\\",
    "null",
    "é",
];

fn signature() -> Signature {
    Signature::parse("question -> reasoning, n: int, tags: list[str], answer").unwrap()
}

/// What a stream tells of a reply: the texts and the values by field. Fails where it goes back on what it told.
fn streamed(adapter: &dyn Adapter, pieces: &[&str]) -> (Map, Map) {
    let signature = signature();
    let mut stream = adapter.stream(&signature);
    let mut told = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut told);
    }
    stream.finish(&mut told);
    let (mut texts, mut values) = (Map::new(), Map::new());
    for FieldUpdate { field, text, value } in told {
        assert!(!values.contains_key(&field), "{field} goes on after its value: {pieces:?}");
        let so_far = texts.get(&field).and_then(Value::as_str).unwrap_or_default().to_owned();
        texts.insert(field.clone(), Value::from(so_far + &text));
        values.extend(value.map(|value| (field, value)));
    }
    (texts, values)
}

fn agrees_with_the_whole(adapter: &dyn Adapter, reply: &str, pieces: &[&str]) {
    let (texts, values) = streamed(adapter, pieces);
    let Ok(whole) = adapter.parse(&signature(), reply) else { return };
    for field in signature().outputs() {
        let Some(value) = values.get(&field.name) else { continue };
        assert_eq!(Some(value), whole.get(&field.name), "{}: {pieces:?}", field.name);
        if field.ty == Type::Str {
            assert_eq!(texts.get(&field.name), Some(value), "{}: {pieces:?}", field.name);
        }
    }
}

fn chat_reply(dice: &mut Dice) -> String {
    let (reasoning, answer) = (dice.text(&TEXTS, 12), dice.text(&TEXTS, 12));
    let end = dice.pick(&["\n\n[[ ## completed ## ]]", ""]);
    format!(
        "[[ ## reasoning ## ]]\n{reasoning}\n\n[[ ## n ## ]]\n7\n\n[[ ## tags ## ]]\n[\"x\", \"[[\"]\n\n[[ ## answer ## ]]\n\
         {answer}{end}"
    )
}

fn json_reply(dice: &mut Dice) -> String {
    let quoted = |text: String| serde_json::to_string(&text).unwrap();
    let (reasoning, answer) = (quoted(dice.text(&TEXTS, 12)), quoted(dice.text(&TEXTS, 12)));
    let space = dice.pick(&["", " ", "\n  "]);
    format!(
        "{{{space}\"reasoning\":{space}{reasoning},{space}\"n\": 7,{space}\"tags\":[\"}}\", \"\\\"\"],{space}\"answer\": {answer}{space}}}"
    )
}

#[test]
fn a_streamed_reply_is_the_whole_one() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for _ in 0..1000 {
        for (adapter, reply) in [
            (&ChatAdapter::default() as &dyn Adapter, chat_reply(&mut dice)),
            (&JsonAdapter::default(), json_reply(&mut dice)),
        ] {
            let pieces = dice.cut(&reply);
            agrees_with_the_whole(adapter, &reply, &pieces);
            let whole = adapter.parse(&signature(), &reply).unwrap();
            assert_eq!(streamed(adapter, &pieces).1.len(), whole.len(), "some field is never complete: {pieces:?}");
        }
    }
}

#[test]
fn any_reply_can_be_streamed() {
    let mut dice = Dice(0x0123_4567_89AB_CDEF);
    for _ in 0..2000 {
        let reply = dice.text(&MARKUP, 30);
        let pieces = dice.cut(&reply);
        for adapter in [&ChatAdapter::default() as &dyn Adapter, &JsonAdapter::default()] {
            agrees_with_the_whole(adapter, &reply, &pieces);
        }
    }
}

#[test]
fn a_listener_loses_and_adds_nothing() {
    let mut dice = Dice(0xFEED_FACE_CAFE_BEEF);
    let hear = |adapter: &dyn Adapter, field: &str, pieces: &[&str]| -> String {
        let mut listener = StreamListener::new(adapter, &signature(), field).unwrap();
        let chunks = pieces.iter().map(|piece| Delta { text: (*piece).to_owned(), ..Delta::default() });
        let mut told: Vec<_> = chunks.filter_map(|delta| listener.receive(&delta)).collect();
        told.extend(listener.finish());
        // Line ends are told as they were written, and parsed as line feeds.
        told.iter().map(|chunk| chunk.text.as_str()).collect::<String>().replace("\r\n", "\n")
    };
    for _ in 0..1000 {
        let (chat, json) = (chat_reply(&mut dice), json_reply(&mut dice));
        for field in ["reasoning", "answer"] {
            let pieces = dice.cut(&chat);
            let value = ChatAdapter::default().parse(&signature(), &chat).unwrap().swap_remove(field).unwrap();
            if pieces.len() > 1 {
                assert_eq!(Value::from(hear(&ChatAdapter::default(), field, &pieces)), value, "{pieces:?}");
            }
            let pieces = dice.cut(&json);
            let value = JsonAdapter::default().parse(&signature(), &json).unwrap().swap_remove(field).unwrap();
            if pieces.len() > 1 {
                let heard: String = serde_json::from_str(&hear(&JsonAdapter::default(), field, &pieces)).unwrap();
                assert_eq!(Value::from(heard), value, "{pieces:?}");
            }
        }
    }
}

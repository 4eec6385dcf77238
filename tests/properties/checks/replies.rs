//! Any reply has its fields or tells why not; a stream tells the same fields however it is cut, never takes anything back,
//! and tells nothing that the whole reply does not say.

use lakelet::adapter::{Adapter, BamlAdapter, ChatAdapter, FieldUpdate, JsonAdapter, StreamListener, XmlAdapter};
use lakelet::lm::Delta;
use lakelet::python::repr;
use lakelet::{ErrorKind, Signature, Value};

use super::input::{Input, pieces};

const SIGNATURES: [&str; 4] = [
    "question -> answer",
    "question -> answer, note",
    "question -> answer, number: int, items: list[str]",
    "question -> note: Optional[str], home: dict[str, Any], answer: Literal['yes', 'no']",
];

pub fn adapters() -> [Box<dyn Adapter>; 4] {
    [
        Box::new(ChatAdapter::default()),
        Box::new(JsonAdapter::default()),
        Box::new(XmlAdapter::default()),
        Box::new(BamlAdapter::default()),
    ]
}

pub fn check(bytes: &[u8]) {
    let mut input = Input(bytes);
    let adapters = adapters();
    let adapter = &*adapters[input.below(adapters.len())];
    let signature = Signature::parse(input.of(&SIGNATURES)).expect("a signature");
    let cut = input.below(40);
    let reply = input.text();
    let whole = adapter.parse(&signature, &reply);
    if let Err(error) = &whole {
        assert_eq!((error.kind(), error.reply().is_some()), (ErrorKind::Parse, true), "{reply:?}");
    }
    for field in signature.outputs() {
        let (text, value) = told(adapter, &signature, &pieces(&reply, 0), &field.name);
        for cut in [1, cut] {
            let other = told(adapter, &signature, &pieces(&reply, cut), &field.name);
            assert_eq!(value.as_ref().map(repr), other.1.as_ref().map(repr), "{cut} {reply:?}");
            // Where a reply turns out to be worthless, larger pieces show it before the text of the last one is told.
            let same = if value.is_some() { text == other.0 } else { text.starts_with(&other.0) };
            assert!(same, "{} {cut} {text:?} {:?} {reply:?}", field.name, other.0);
        }
        let Some(value) = value else { continue };
        if let Value::Str(all) = &value {
            assert!(text.is_empty() || text == *all, "{} {text:?} {all:?} {reply:?}", field.name);
        }
        if let Ok(whole) = &whole {
            assert_eq!(whole.get(&field.name).map(repr), Some(repr(&value)), "{} {reply:?}", field.name);
        }
        listen(adapter, &signature, &pieces(&reply, cut), &field.name);
    }
}

/// What a stream tells of a field: the texts together, and the value.
pub fn told(adapter: &dyn Adapter, signature: &Signature, pieces: &[&str], field: &str) -> (String, Option<Value>) {
    let mut stream = adapter.stream(signature);
    let mut updates: Vec<FieldUpdate> = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut updates);
    }
    stream.finish(&mut updates);
    updates.retain(|update| update.field == field);
    let done = updates.iter().position(|update| update.value().is_some());
    assert!(done.is_none_or(|done| done + 1 == updates.len()), "{field} goes on after it is done");
    let text = updates.iter().map(FieldUpdate::text).collect();
    (text, updates.pop().and_then(|update| update.value().cloned()))
}

/// DSPy's rhythm depends on the pieces: what it tells comes to an end, once.
fn listen(adapter: &dyn Adapter, signature: &Signature, pieces: &[&str], field: &str) {
    let Ok(mut listener) = StreamListener::new(adapter, signature, field) else { return };
    let mut over = false;
    for piece in pieces {
        let chunk = listener.receive(&Delta { text: (*piece).to_owned(), ..Delta::default() });
        assert!(chunk.is_none() || !over, "{field} goes on after its last chunk");
        over |= chunk.is_some_and(|chunk| chunk.is_last);
    }
    _ = listener.finish();
}

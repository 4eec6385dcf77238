//! What an adapter writes as a reply it reads back, whole and in pieces.
//!
//! It holds in DSPy 3.4.1, and here, under these conditions:
//!
//! - JSONAdapter and BAMLAdapter: always.
//! - ChatAdapter: a text has no white space at its ends, no line ends but line feeds, and no line that is a header.
//!   A text inside a list or a dict has none of the three line ends that JSON does not escape (U+0085, U+2028, U+2029).
//! - XMLAdapter: a text has no white space at its ends, no carriage returns, no `]]>`, and only characters that XML can
//!   hold.
//!
//! An optional text that is `None` reads back as the text `None`, but in JSON; so it is left out here.

use lakelet::adapter::Adapter;
use lakelet::lm::Content;
use lakelet::python::{splitlines, strip};
use lakelet::signature::{Field, Type};
use lakelet::value::{Map, ScalarKind};
use lakelet::{Example, Signature, Value};

use super::input::{Input, pieces};
use super::replies::{adapters, told};

/// Types, each with how a value of it is made.
type Kind = (&'static str, fn(&mut Input, &dyn Adapter) -> Value);

const KINDS: [Kind; 12] = [
    ("str", text),
    ("int", |input, _| Value::Int(input.number())),
    ("float", float),
    ("bool", |input, _| Value::Bool(input.below(2) == 1)),
    ("list[str]", |input, adapter| list(input, |input| inner_text(input, adapter))),
    ("list[int]", |input, _| list(input, |input| Value::Int(input.number()))),
    ("list[list[float]]", |input, adapter| list(input, |input| list(input, |input| float(input, adapter)))),
    ("dict[str, str]", |input, adapter| {
        let count = input.below(4);
        let member = |_| (format!("key{}", input.below(9)), inner_text(input, adapter));
        Value::Dict((0..count).map(member).collect())
    }),
    ("Optional[int]", |input, _| match input.below(3) {
        0 => Value::None,
        _ => Value::Int(input.number()),
    }),
    ("Literal['yes', 'no', 1]", |input, _| match input.below(3) {
        0 => "yes".into(),
        1 => "no".into(),
        _ => 1.into(),
    }),
    ("datetime.date", |input, _| {
        let (year, month, day) = (1 + input.below(256) * 39, 1 + input.below(12), 1 + input.below(28));
        Value::Scalar(ScalarKind::Date, format!("{year:04}-{month:02}-{day:02}"))
    }),
    ("tuple[int, bool]", |input, _| Value::Tuple(vec![Value::Int(input.number()), Value::Bool(input.below(2) == 1)])),
];

pub fn check(bytes: &[u8]) {
    let mut input = Input(bytes);
    let adapters = adapters();
    let adapter = &*adapters[input.below(adapters.len())];
    let cut = input.below(40);
    let mut fields = vec![Field::input("question", Type::Str)];
    let mut values = Map::new();
    for name in ["answer", "note", "more"] {
        let (ty, value) = KINDS[input.below(KINDS.len())];
        fields.push(Field::output(name, Type::parse(ty, &Default::default()).expect(ty)));
        values.insert(name.to_owned(), value(&mut input, adapter));
    }
    let signature = Signature::from_fields(fields, None).expect("a signature");
    let mut demo = Example::new().with("question", "?");
    demo.fields.extend(values.clone());
    let written = adapter.prefix(&signature, &[demo]).expect("the values can be shown").pop().expect("a reply");
    let Content::Text(reply) = written.content else { panic!("a reply is text") };

    let read = adapter.parse(&signature, &reply).unwrap_or_else(|error| panic!("{reply:?} {error}"));
    assert_eq!(read, values, "{} {reply:?}", adapter.name());
    for (name, value) in &values {
        let (text, streamed) = told(adapter, &signature, &pieces(&reply, cut), name);
        assert_eq!(streamed.as_ref(), Some(value), "{} {reply:?}", adapter.name());
        if let Value::Str(all) = value
            && signature.field(name).is_some_and(|field| field.ty == Type::Str)
        {
            assert_eq!(text, *all, "{} {reply:?}", adapter.name());
        }
    }
}

fn float(input: &mut Input, _: &dyn Adapter) -> Value {
    let number = f64::from_bits(input.number() as u64);
    Value::Float(if number.is_finite() { number } else { 0.5 })
}

fn list(input: &mut Input, mut item: impl FnMut(&mut Input) -> Value) -> Value {
    let count = input.below(4);
    Value::List((0..count).map(|_| item(input)).collect())
}

/// The next bytes as text, as long as the first of them says.
fn any_text(input: &mut Input) -> String {
    let length = input.below(64).min(input.0.len());
    let (text, rest) = input.0.split_at(length);
    input.0 = rest;
    String::from_utf8_lossy(text).into_owned()
}

/// A text that the adapter can hand back as the whole of a field.
fn text(input: &mut Input, adapter: &dyn Adapter) -> Value {
    let text = any_text(input);
    let text = match adapter.name() {
        "ChatAdapter" => {
            let lines = splitlines(strip(&text)).map(|line| line.replace("[[ ##", "[ ["));
            strip(&lines.collect::<Vec<_>>().join("\n")).to_owned()
        }
        "XMLAdapter" => xml_text(&text),
        _ => text,
    };
    Value::Str(text)
}

/// A text that the adapter can hand back from inside a list or a dict.
fn inner_text(input: &mut Input, adapter: &dyn Adapter) -> Value {
    let text = any_text(input);
    Value::Str(match adapter.name() {
        "ChatAdapter" => text.replace(['\u{85}', '\u{2028}', '\u{2029}'], " "),
        "XMLAdapter" => xml_text(&text),
        _ => text,
    })
}

fn xml_text(text: &str) -> String {
    let text = text.replace(|c: char| c < ' ' && c != '\n' && c != '\t', "");
    strip(&text.replace(['\u{fffe}', '\u{ffff}'], "").replace("]]>", "]]&gt;")).to_owned()
}

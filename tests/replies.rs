//! Replies of every kind: nothing panics, and what is told in pieces is what the whole says.

#[path = "support/chance.rs"]
mod chance;

use chance::Chance;
use lakelet::adapter::{Adapter, ChatAdapter, FieldUpdate, JsonAdapter};
use lakelet::coerce::parse_value;
use lakelet::signature::{Field, Signature, Type};
use lakelet::{Value, json, json_repair, literal};

const SIGNS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "\"",
    "\"",
    "'",
    "“",
    "”",
    "„",
    "\\",
    "\\\"",
    "\\u00e9",
    "\\ud83d",
    "\\ude00",
    "\n",
    "\r",
    " ",
    "\u{2028}",
    "\u{a0}",
    "a",
    "answer",
    "\"answer\": ",
    "\"note\"",
    "true",
    "None",
    "1",
    "-",
    "2.5e3",
    "1_0",
    "```",
    "```json",
    "#",
    "//",
    "/*",
    "*/",
    "[[ ## answer ## ]]",
    "[[ ## note ## ]]",
    "[[ ## completed ## ]]",
    "[[ ## ",
    " ## ]]",
    "]]",
    "é",
    "🦀",
    "\0",
    "Literal[",
    "datetime",
    "2024-01-02T03:04:05Z",
    "P1D",
    "b'x'",
    "0x1F",
    "\"\"\"",
];

/// Two texts, so that everything that is told can be compared.
fn signature() -> Signature {
    let output = |name: &str| Field { default: Some(Value::from("absent")), ..Field::output(name, Type::Str) };
    Signature::from_fields(vec![Field::input("q", Type::Str), output("answer"), output("note")], None).unwrap()
}

/// What a stream tells of a field: the texts together, and the value.
fn told(adapter: &dyn Adapter, pieces: &[String]) -> impl Fn(&str) -> (String, Option<Value>) + use<> {
    let mut stream = adapter.stream(&signature());
    let mut updates: Vec<FieldUpdate> = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut updates);
    }
    stream.finish(&mut updates);
    move |field| {
        let updates = || updates.iter().filter(|update| update.field == field);
        assert!(updates().filter(|update| update.value().is_some()).count() <= 1, "{field} is done twice");
        (updates().map(|update| update.text()).collect(), updates().find_map(|update| update.value().cloned()))
    }
}

#[test]
fn no_text_makes_a_reader_panic() {
    let types = [
        "int",
        "float",
        "bool",
        "list[int]",
        "dict[str, Any]",
        "set[str]",
        "tuple[int, ...]",
        "Literal['a', 1]",
        "datetime.datetime",
        "datetime.timedelta",
        "decimal.Decimal",
        "uuid.UUID",
        "Union[int, list[str], None]",
        "dspy.Code",
        "dspy.ToolCalls",
        "bytes",
    ];
    let types: Vec<Type> = types.iter().map(|text| Type::parse(text, &Default::default()).unwrap()).collect();
    let mut chance = Chance(1);
    for _ in 0..4000 {
        let text = chance.text(SIGNS, 30);
        json_repair::loads(&text);
        literal::eval(&text);
        let _ = parse_value(&Value::from(text.as_str()), &types[chance.below(types.len())]);
        let pieces = chance.pieces(&text);
        for adapter in [&ChatAdapter::default() as &dyn Adapter, &JsonAdapter::default()] {
            let _ = adapter.parse(&signature(), &text);
            told(adapter, &pieces)("answer");
        }
    }
}

#[test]
fn a_chat_stream_tells_what_the_whole_reply_says() {
    let mut chance = Chance(2);
    for _ in 0..6000 {
        let reply = chance.text(SIGNS, 40);
        let whole = ChatAdapter::default().parse(&signature(), &reply).unwrap();
        let told = told(&ChatAdapter::default(), &chance.pieces(&reply));
        for field in ["answer", "note"] {
            let (text, value) = told(field);
            match value {
                Some(value) => assert_eq!((&value, value.as_str()), (&whole[field], Some(text.as_str())), "{reply:?}"),
                None => assert_eq!((&whole[field], text.as_str()), (&Value::from("absent"), ""), "{reply:?}"),
            }
        }
    }
}

#[test]
fn a_json_stream_tells_what_the_whole_reply_says() {
    let prose = &["Sure: ", "```json\n", "\n", "Here it is - "];
    let mut chance = Chance(3);
    for _ in 0..6000 {
        let mut reply = chance.text(prose, 2) + "{";
        for (i, name) in ["answer", "other", "note"].iter().enumerate() {
            if i > 0 {
                reply += chance.of(&[", ", ",", ",\n  "]);
            }
            json::write_str(&mut reply, name);
            reply += chance.of(&[": ", ":"]);
            match chance.below(5) {
                0 => {
                    reply += chance.of(&["5", "-1.5e3", "null", "true", "[1, {\"a\": \"]}\"}]", "{\"b\": [\"\\\"\"]}"])
                }
                1 => reply += "\"\\ud83e\\udd80 \\u00e9\\n\"",
                _ => json::write_str(&mut reply, &chance.text(SIGNS, 12)),
            }
        }
        reply += chance.of(&["}", "\n}", "}\n```", "} "]);
        let whole = JsonAdapter::default().parse(&signature(), &reply).unwrap();
        let told = told(&JsonAdapter::default(), &chance.pieces(&reply));
        for field in ["answer", "note"] {
            let (text, value) = told(field);
            assert_eq!(
                (value.as_ref(), Some(text.as_str())),
                (Some(&whole[field]), whole[field].as_str()),
                "{reply:?}"
            );
        }
    }
}

#[test]
fn text_is_told_while_the_reply_is_still_coming() {
    let begins = |adapter: &dyn Adapter, reply: &str| {
        let mut updates = Vec::new();
        adapter.stream(&signature()).push(reply, &mut updates);
        updates.iter().map(FieldUpdate::text).collect::<String>()
    };
    assert_eq!(begins(&ChatAdapter::default(), "[[ ## answer ## ]]\nPar"), "Par");
    assert_eq!(begins(&ChatAdapter::default(), "[[ ## answer ## ]]\nParis \n [[ ## no"), "Paris");
    assert_eq!(begins(&JsonAdapter::default(), "{\"answer\": \"Caf\\u00e9 \\u00"), "Café");
}

#[test]
fn what_is_not_json_is_told_when_the_reply_has_ended() {
    let told = told(&JsonAdapter::default(), &["{'answer': 'it is', note: \"a \"quoted\" word\"".to_owned()]);
    assert_eq!(told("answer"), ("it is".to_owned(), Some("it is".into())));
    assert_eq!(told("note"), ("a \"quoted\" word".to_owned(), Some("a \"quoted\" word".into())));
}

#[test]
fn long_and_deep_texts_come_to_an_end() {
    for part in [
        "{\"a\":",
        "[",
        "(",
        "{\"a\": \"x\", ",
        "\"a\"x\"b\"",
        "x, ",
        "{b: ",
        "'",
        "{'a'",
        "}",
        "\\",
        "{\\\"a\\\": ",
        "/* ",
        ", \"",
        "“„",
    ] {
        let text = part.repeat(4_000);
        for start in ["", "{\"a\": \"", "[\""] {
            json_repair::loads(&format!("{start}{text}"));
        }
        literal::eval(&text);
    }
}

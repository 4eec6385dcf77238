//! Fields of every type while they are being written: what is told grows, and comes to what the whole reply says.

#[path = "support/chance.rs"]
mod chance;

use std::time::{Duration, Instant};

use chance::Chance;
use lakelet::adapter::{Adapter, ChatAdapter, FieldUpdate, JsonAdapter, News, StreamListener, XmlAdapter};
use lakelet::lm::Delta;
use lakelet::signature::{Field, ModelField, ModelType, Signature, Type};
use lakelet::{Value, json};

const TEXTS: &[&str] = &[
    "a", "Let us", " ", "\n", "\n\n", "\t", "[", "[[ ", "[[ ## ", "## ", "]]", "{", "}", "\"", "\\", "\\n", ",", "é",
    "🦀", ": ", "1.5", "</", "\r\n",
];

const MARKUP: &[&str] = &[
    "[[ ## answer ## ]]",
    "[[ ## tags ## ]]\n",
    "\n[[ ## ",
    "answer",
    " ## ]]",
    "\n",
    "{\"answer\": \"",
    "\"",
    ", ",
    "}",
    "\"n\": ",
    "\"tags\": ",
    "7",
    "[1, ",
    "[",
    "]",
    "{",
    "\\",
    "null",
    "é",
    "{\"a\": ",
    "\"tags\": [\"x",
    "\"people\": [{\"name\": \"",
    "<answer>",
    "</answer>",
    "<tags><item>",
    "</item>",
    "</tags>",
    "&lt;",
];

fn person() -> Type {
    let field = |name: &str, ty: Type| ModelField {
        name: name.to_owned(),
        ty,
        description: None,
        default: None,
        alias: None,
        title: None,
        constraints: Vec::new(),
    };
    let fields = vec![field("name", Type::Str), field("age", Type::Int), field("likes", strings())];
    Type::Model(ModelType { name: "Person".into(), doc: None, extra: None, typed_dict: false, fields }.into())
}

fn strings() -> Type {
    Type::List(Some(Box::new(Type::Str)))
}

fn signature() -> Signature {
    let kind = Type::Literal(vec!["good".into(), "bad".into()]);
    let outputs = [
        ("reasoning", Type::Str),
        ("n", Type::Int),
        ("tags", strings()),
        ("people", Type::List(Some(Box::new(person())))),
        ("best", Type::optional(person())),
        ("kinds", Type::List(Some(Box::new(kind)))),
        ("any", Type::Any),
        ("answer", Type::Str),
    ];
    let outputs = outputs.into_iter().map(|(name, ty)| Field::output(name, ty));
    Signature::from_fields([Field::input("q", Type::Str)].into_iter().chain(outputs).collect(), None).unwrap()
}

/// Texts of the outputs of the signature, as a reply has them: JSON but for texts.
fn outputs(chance: &mut Chance) -> Vec<(&'static str, String)> {
    let quoted = |text: String| {
        let mut out = String::new();
        json::write_str(&mut out, &text);
        out
    };
    let list = |chance: &mut Chance, item: &dyn Fn(&mut Chance) -> String| {
        let items: Vec<_> = (0..chance.below(4)).map(|_| item(chance)).collect();
        format!("[{}]", items.join(chance.of(&[",", ", ", " ,\n  "])))
    };
    let text = |chance: &mut Chance| quoted(chance.text(TEXTS, 6));
    let person = |chance: &mut Chance| {
        format!("{{\"name\": {}, \"likes\":{} , \"age\": {}}}", text(chance), list(chance, &text), chance.below(99))
    };
    let best = if chance.below(3) == 0 { "null".to_owned() } else { person(chance) };
    vec![
        ("reasoning", chance.text(TEXTS, 12)),
        ("n", "42".to_owned()),
        ("tags", list(chance, &text)),
        ("people", list(chance, &person)),
        ("best", best),
        ("kinds", list(chance, &|chance| quoted(chance.of(&["good", "bad"]).to_owned()))),
        ("any", format!("{{\"a\": [1, 2.5, {{\"b\": {}}}], \"c\": true}}", text(chance))),
        ("answer", chance.text(TEXTS, 12)),
    ]
}

fn chat_reply(chance: &mut Chance) -> String {
    let sections = outputs(chance).into_iter().map(|(name, text)| format!("[[ ## {name} ## ]]\n{text}\n\n"));
    sections.collect::<String>() + chance.of(&["[[ ## completed ## ]]", ""])
}

fn json_reply(chance: &mut Chance) -> String {
    let space = chance.of(&["", " ", "\n  "]);
    let members: Vec<_> = outputs(chance)
        .into_iter()
        .map(|(name, text)| {
            let mut member = format!("\"{name}\":{space}");
            if matches!(name, "reasoning" | "answer") {
                json::write_str(&mut member, &text);
            } else {
                member += &text;
            }
            member
        })
        .collect();
    format!("{{{space}{}{space}}}", members.join(&format!(",{space}")))
}

fn xml_reply(chance: &mut Chance) -> String {
    let text = |chance: &mut Chance| chance.text(TEXTS, 12).replace('&', "&amp;").replace('<', "&lt;");
    let (reasoning, tag, answer) = (text(chance), text(chance), text(chance));
    format!(
        "<reasoning>{reasoning}</reasoning>\n<n>42</n><tags><item>a</item><item>{tag}</item></tags>\n<answer>{answer}</answer>"
    )
}

fn updates(adapter: &dyn Adapter, pieces: &[String]) -> Vec<FieldUpdate> {
    let mut stream = adapter.stream(&signature());
    let mut told = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut told);
    }
    stream.finish(&mut told);
    told
}

/// Checks what a stream tells against the whole reply, and gives the number of fields that it completes.
fn check(adapter: &dyn Adapter, reply: &str, pieces: &[String]) -> usize {
    let updates = updates(adapter, pieces);
    let whole = adapter.parse(&signature(), reply);
    let mut complete = 0;
    for field in signature().outputs() {
        let mut text = String::new();
        let mut shown = Value::None;
        let mut value = None;
        for update in updates.iter().filter(|update| update.field == field.name) {
            assert_eq!(value, None, "{} goes on after its end: {pieces:?}", field.name);
            match &update.news {
                News::Text(more) => text.push_str(more),
                News::Partial(partial) => {
                    assert!(grows(&shown, partial), "{} goes back: {shown:?} {partial:?} {pieces:?}", field.name);
                    shown = partial.clone();
                }
                News::Value(whole) => value = Some(whole),
            }
        }
        let Some(value) = value else { continue };
        complete += 1;
        assert!(grows(&shown, value), "{} goes back at its end: {shown:?} {value:?}", field.name);
        if field.ty == Type::Str {
            assert_eq!(value.as_str(), Some(text.as_str()), "{pieces:?}");
        }
        if let Ok(whole) = &whole {
            assert_eq!(Some(value), whole.get(&field.name), "{}: {pieces:?}", field.name);
        }
    }
    complete
}

/// Whether a value shows all that another one does.
fn grows(from: &Value, to: &Value) -> bool {
    match (from, to) {
        (Value::None, _) => true,
        (Value::Str(from), Value::Str(to)) => to.starts_with(from),
        (Value::List(from), Value::List(to)) => {
            from.len() <= to.len() && from.iter().zip(to).all(|(from, to)| grows(from, to))
        }
        (Value::Dict(from), Value::Dict(to) | Value::Model(_, to)) | (Value::Model(_, from), Value::Model(_, to)) => {
            from.iter().all(|(name, from)| to.get(name).is_some_and(|to| grows(from, to)))
        }
        (from, to) => from == to,
    }
}

#[test]
fn a_streamed_reply_is_the_whole_one() {
    let mut chance = Chance(11);
    for _ in 0..600 {
        for (adapter, reply, fields) in [
            (&ChatAdapter::default() as &dyn Adapter, chat_reply(&mut chance), 8),
            (&JsonAdapter::default(), json_reply(&mut chance), 8),
            (&XmlAdapter::default(), xml_reply(&mut chance), 4),
        ] {
            let complete = check(adapter, &reply, &chance.pieces(&reply));
            assert_eq!(complete, fields, "{reply}");
        }
    }
}

#[test]
fn any_reply_can_be_streamed() {
    let mut chance = Chance(12);
    for _ in 0..1500 {
        let reply = chance.text(MARKUP, 30);
        let pieces = chance.pieces(&reply);
        for adapter in [&ChatAdapter::default() as &dyn Adapter, &JsonAdapter::default(), &XmlAdapter::default()] {
            check(adapter, &reply, &pieces);
        }
    }
}

#[test]
fn lists_and_models_show_while_they_are_written() {
    let pieces = ["[[ ## people ## ]]\n[{\"na", "me\": \"A", "da\", \"age\": 3", "6, \"likes\": [", "\"tea\"]}, {}"];
    let updates = updates(&ChatAdapter::default(), &pieces.map(str::to_owned));
    let partials = updates.iter().filter_map(|update| match &update.news {
        News::Partial(value) => Some(lakelet::python::repr(value)),
        _ => None,
    });
    assert_eq!(
        partials.collect::<Vec<_>>(),
        [
            "[{}]",
            "[{'name': 'A'}]",
            "[{'name': 'Ada'}]",
            "[{'name': 'Ada', 'age': 36, 'likes': []}]",
            // The second one is not a person, and nothing more is told.
        ]
    );
}

#[test]
fn a_megabyte_in_single_bytes_is_read_in_linear_time() {
    let begun = Instant::now();
    let item = "{\"name\": \"Ada\", \"age\": 36, \"likes\": [\"tea\", \"mathematics\"]}, ";
    let people = format!("[{}{}]", item.repeat(250_000 / item.len()), item.trim_end_matches(", "));
    let text = format!("[\"{}\"]", "x".repeat(250_000));
    for (adapter, reply) in [
        (&ChatAdapter::default() as &dyn Adapter, format!("[[ ## people ## ]]\n{people}\n\n[[ ## tags ## ]]\n{text}")),
        (&JsonAdapter::default(), format!("{{\"people\": {people}, \"tags\": {text}}}")),
    ] {
        let mut stream = adapter.stream(&signature());
        let mut told = Vec::new();
        let mut partials = 0;
        for at in 0..reply.len() {
            stream.push(&reply[at..=at], &mut told);
            partials += told.drain(..).filter(|update| matches!(update.news, News::Partial(_))).count();
        }
        assert!(partials > 50);
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

fn heard(adapter: &dyn Adapter, field: &str, pieces: &[String]) -> String {
    let mut listener = StreamListener::new(adapter, &signature(), field).unwrap();
    let deltas = pieces.iter().map(|text| Delta { text: text.clone(), ..Delta::default() });
    let mut told: Vec<_> = deltas.filter_map(|delta| listener.receive(&delta)).collect();
    told.extend(listener.finish());
    // Line ends are told as they were written, and parsed as line feeds.
    told.iter().map(|chunk| chunk.text.as_str()).collect::<String>().replace("\r\n", "\n")
}

#[test]
fn a_listener_loses_and_adds_nothing() {
    let mut chance = Chance(13);
    for _ in 0..600 {
        let (chat, json) = (chat_reply(&mut chance), json_reply(&mut chance));
        for field in ["reasoning", "answer"] {
            let value = ChatAdapter::default().parse(&signature(), &chat).unwrap().swap_remove(field);
            let text = heard(&ChatAdapter::default(), field, &chance.pieces(&chat));
            assert_eq!(value, Some(text.into()), "{chat:?}");
            let value = JsonAdapter::default().parse(&signature(), &json).unwrap().swap_remove(field);
            let text = heard(&JsonAdapter::default(), field, &chance.pieces(&json));
            let text: String = serde_json::from_str(&text).unwrap();
            assert_eq!(value, Some(text.into()), "{json:?}");
        }
    }
}

#[test]
fn a_reusable_listener_hears_reply_after_reply() {
    let replies = [
        (&ChatAdapter::default() as &dyn Adapter, "[[ ## answer ## ]]\nYes.\n\n[[ ## completed ## ]]", "Yes."),
        (&JsonAdapter::default(), "{\"answer\": \"Yes\", \"note\": \"}\"}", "\"Yes\""),
        (&XmlAdapter::default(), "<answer>Yes</answer><note>a < b</note>", "Yes"),
    ];
    for (adapter, reply, value) in replies {
        for is_told_of_ends in [false, true] {
            let mut listener = StreamListener::new(adapter, &signature(), "answer").unwrap().reusable();
            let mut heard = String::new();
            for _ in 0..3 {
                for piece in reply.split_inclusive(' ') {
                    let delta = Delta { text: piece.to_owned(), ..Delta::default() };
                    heard.extend(listener.receive(&delta).map(|chunk| chunk.text));
                }
                if is_told_of_ends {
                    heard.extend(listener.finish().map(|chunk| chunk.text));
                }
            }
            assert_eq!(heard.trim().replace(' ', ""), value.repeat(3), "{}", adapter.name());
        }
    }
}

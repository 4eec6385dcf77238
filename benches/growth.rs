//! How time grows with the length of a text: every reader, on texts that are made to cost the most.
//!
//!     cargo bench --bench growth                (`-- WORD` runs only the readers and texts whose names hold the word)
//!
//! It times each reader on each text and on one four times as long, and prints the slowest. A factor near 4 is linear, near 16
//! quadratic. Times say little on a busy machine, so no test asserts them.

use std::time::{Duration, Instant};

use lakelet::adapter::{Adapter, ChatAdapter, JsonAdapter, XmlAdapter, defang};
use lakelet::coerce::parse_value;
use lakelet::http::sse;
use lakelet::signature::Type;
use lakelet::{Pipeline, Signature, Value, json, json_repair, literal};

/// The length of the shorter texts, in bytes.
const LENGTH: usize = 32 << 10;

/// What is repeated, between a beginning and an end.
const TEXTS: &[(&str, &str, &str)] = &[
    ("", "a", ""),
    ("", " ", ""),
    ("", "\n", ""),
    ("", "[", ""),
    ("", "{", ""),
    ("", "(", ""),
    ("", "[]", ""),
    ("", "{}", ""),
    ("", "[] ", ""),
    ("", "[[], ", ""),
    ("", "{\"a\": {}, ", ""),
    ("[", "1, ", "]"),
    ("", "{]", ""),
    ("", "a,={]", ""),
    ("[", "{\"a\": 1}, ", "]"),
    ("[", "{\"a\": 1, \"a\": 2 ", "]"),
    ("[", "{'a': 'b'} ", "]"),
    ("{", "\"a\": 1, ", "}"),
    ("", "{\"a\":", ""),
    ("", "{\"a\": \"x\", ", ""),
    ("", "{\"a\": [1, ", ""),
    ("", "{'a'", ""),
    ("", "{{a} ", ""),
    ("", "{a ", ""),
    ("", "{a: ", ""),
    ("", "[{", ""),
    ("", "[{a", ""),
    ("", "({", ""),
    ("", "{\\\"a\\\": 1} ", ""),
    ("", "{\\\"a\\\": ", ""),
    ("[", "{\\\"a\\\": 1}, ", "]"),
    ("", "\"", ""),
    ("", "'", ""),
    ("", "“", ""),
    ("", "”", ""),
    ("", "“„", ""),
    ("", "`", ""),
    ("", "```json", ""),
    ("", "\"```json ", ""),
    ("[", "\"```json [1]``` ", ""),
    ("", "\\", ""),
    ("", "\\\"", ""),
    ("{\"a\": \"", "\\", "\"}"),
    ("{\"a\": \"", "\\\"", "\"}"),
    ("{\"a\": \"", "\\n", "\"}"),
    ("{\"a\": \"", "x, ", ""),
    ("{\"a\": \"", "x, \"", ""),
    ("{\"a\": \"", "x\" y ", ""),
    ("{\"a\": \"", "x\", y ", "\"}"),
    ("{\"a\": \"", "\"x\" ", "\"}"),
    ("{\"a\": \"", "}", ""),
    ("{\"a\": \"", "} ", "\"}"),
    ("{\"a\": \"", "{b: ", ""),
    ("{\"a\": \"", "{b: c} ", "\"}"),
    ("{\"a\": \"", "[", ""),
    ("{\"a\": \"", "]", ""),
    ("{\"a\": \"", "[x] \"", ""),
    ("{\"a\": \"", ", [", ""),
    ("{\"a\": \"", ":", ""),
    ("{\"a\": ", "x ", "}"),
    ("{\"a\": ", "x, ", "}"),
    ("{", "a b c ", ""),
    ("{", "\"a\" ", ""),
    ("{", "\"a\": \"b\" ", "}"),
    ("[\"", "x\", ", ""),
    ("[\"", "x\" ", "\"]"),
    ("[\"", "a \"b\" c, ", "\"]"),
    ("[", "'x ", ""),
    ("[", "“x, ", ""),
    ("", "# ", ""),
    ("", "#\n", ""),
    ("", "/* ", ""),
    ("", "/**/", ""),
    ("", "// x\n", ""),
    ("{", "/", "}"),
    ("[", "# a\n", "]"),
    ("", "(\n", ""),
    ("", "\n(1", ""),
    ("", "(1, ", ""),
    ("", "1 ", ""),
    ("", "1", ""),
    ("[", "1", ""),
    ("[", "-", ""),
    ("[", "1_", ""),
    ("[", "t", ""),
    ("[", ". ", ""),
    ("[", "...", ""),
    ("", ", \"", ""),
    ("", "a, ", ""),
    ("", "'a' ", ""),
    ("", "'a'\n", ""),
    ("(", "'a' ", ")"),
    ("{", "(1,), ", "}"),
    ("{", "1: 2, ", "}"),
    ("", "#\n", "1"),
    ("", "\\\n", "1"),
    ("", "0x", ""),
    ("0x", "f", ""),
    ("", "é", ""),
    ("", "🦀", ""),
    ("", "\0", ""),
    ("", "[[ ## ", ""),
    ("", "[[ ## a", ""),
    ("", "[[ ## answer ## ]]", ""),
    ("", "[[ ## answer ## ]]\n", ""),
    ("", " [[ ## answer ## ]] x\n", ""),
    ("", "[[ ## b ## ]]\nx\n", ""),
    ("[[ ## answer ## ]]\n", "x\n", ""),
    ("[[ ## answer ## ]]\n", " \n", ""),
    ("[[ ## answer ## ]]\n", "[[ \n", ""),
    ("[[ ## answer ## ]]\nx", " ", ""),
    ("[[ ## ", "answer", " ## ]]"),
    ("[[ ## number ## ]]\n", "1", ""),
    ("[[", " ", ""),
    ("", "[[ ", ""),
    ("", "<<CUSTOM-TYPE-START-IDENTIFIER>>", ""),
    ("", "<<CUSTOM-TYPE-START-IDENTIFIER>>[<<CUSTOM-TYPE-END-IDENTIFIER>>", ""),
    ("", "<<CUSTOM-TYPE-END-IDENTIFIER>>", ""),
    ("{\"answer\": \"", "x", "\"}"),
    ("{\"answer\": \"", "\\u00e9 ", "\"}"),
    ("{\"number\": ", "[", ""),
    ("{", "\"answer\": \"x\", ", "}"),
    ("<answer>", "<a>", ""),
    ("<answer>", " \n", ""),
    ("<answer>x", " \n", ""),
    ("", "<answer>", ""),
    ("", "<answer>x</answer>", ""),
    ("", "</answer>", ""),
    ("<answer>", "&amp;", "</answer>"),
    ("<answer>", "<![CDATA[", ""),
    ("", "<", ""),
    ("data: ", "x", "\n\n"),
    ("", "data: x\n", "\n"),
    ("", "data: x\n\n", ""),
    ("", "\r", ""),
    ("a", ", b: int", " -> c"),
    ("q -> a: Literal[", "1, ", "]"),
    ("q -> a: ", "int | ", "int"),
    ("q -> a: ", "list[", ""),
    ("q -> a: '", "x", "'"),
    ("q -> a: '", "\\n", "'"),
    ("q -> a: ", "'x' ", ""),
    ("q -> a: ", "#\n", "int"),
];

fn signature() -> Signature {
    Signature::parse("question -> answer, number: int, items: list[str], home: dict[str, Any]").expect("a signature")
}

fn streamed(adapter: &dyn Adapter, text: &str) {
    let mut stream = adapter.stream(&signature());
    let mut told = Vec::new();
    let mut buffer = [0; 4];
    for c in text.chars() {
        stream.push(c.encode_utf8(&mut buffer), &mut told);
    }
    stream.finish(&mut told);
}

/// A reader's name, and what it does with a text.
type Reader = (&'static str, fn(&str));

const READERS: &[Reader] = &[
    ("json_repair", |text| drop(json_repair::loads(text))),
    ("literal", |text| drop(literal::eval(text))),
    ("json", |text| drop(json::read(text))),
    ("parse_value", |text| {
        let ty = Type::parse("Union[int, list[Union[int, str]], dict[str, Any], set[str]]", &Default::default());
        drop(parse_value(&Value::from(text), &ty.expect("a type")));
    }),
    ("chat", |text| drop(ChatAdapter::default().parse(&signature(), text))),
    ("json adapter", |text| drop(JsonAdapter::default().parse(&signature(), text))),
    ("xml adapter", |text| drop(XmlAdapter::default().parse(&signature(), text))),
    ("chat stream", |text| streamed(&ChatAdapter::default(), text)),
    ("json stream", |text| streamed(&JsonAdapter::default(), text)),
    ("xml stream", |text| streamed(&XmlAdapter::default(), text)),
    ("prompt", |text| {
        let inputs = lakelet::Example::new().with("question", text);
        drop(ChatAdapter::default().turns(&signature(), &inputs));
    }),
    ("defang", |text| drop(defang::text(text))),
    ("events", |text| {
        let mut events = sse::Decoder::default();
        for byte in text.bytes() {
            let _ = events.push(&[byte]);
            while events.next().is_some() {}
        }
        events.finish();
    }),
    ("signature", |text| drop(Signature::parse(text))),
    ("pipeline", |text| drop(Pipeline::from_json(text))),
];

/// The shortest of three times, or the first if it is long.
fn time(read: fn(&str), text: &str) -> Duration {
    let once = || {
        let start = Instant::now();
        read(text);
        start.elapsed()
    };
    let first = once();
    if first > Duration::from_millis(300) { first } else { first.min(once()).min(once()) }
}

fn main() {
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut worst = Vec::new();
    for (name, read) in READERS {
        for (start, part, end) in TEXTS {
            let shape = format!("{start}({part})*{end}");
            if !name.contains(&word) && !shape.contains(&word) {
                continue;
            }
            let text = |length: usize| format!("{start}{}{end}", part.repeat(length.div_ceil(part.len())));
            let (short, long) = (time(*read, &text(LENGTH)), time(*read, &text(4 * LENGTH)));
            let factor = long.as_secs_f64() / short.as_secs_f64();
            worst.push((long, factor, name, shape));
        }
    }
    worst.sort_by_key(|(long, ..)| std::cmp::Reverse(*long));
    println!("{} texts of {} KiB; the slowest:", worst.len(), (4 * LENGTH) >> 10);
    for (long, factor, name, shape) in worst.iter().take(40) {
        println!("{:9.2} ms  factor {factor:5.1}  {name:12}  {shape:?}", long.as_secs_f64() * 1e3);
    }
}

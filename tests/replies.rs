//! Streamed replies: what is told while they are still coming, and when they have ended.

use lakelet::adapter::{Adapter, ChatAdapter, FieldUpdate, JsonAdapter};
use lakelet::{Signature, Value};

fn signature() -> Signature {
    Signature::parse("q -> answer, note").unwrap()
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
    let mut stream = JsonAdapter::default().stream(&signature());
    let mut updates = Vec::new();
    stream.push("{'answer': 'it is', note: \"a \"quoted\" word\"", &mut updates);
    assert_eq!(updates, []);
    stream.finish(&mut updates);
    let of = |field| move |update: &&FieldUpdate| update.field == field;
    for (field, expected) in [("answer", "it is"), ("note", "a \"quoted\" word")] {
        assert_eq!(updates.iter().filter(of(field)).map(FieldUpdate::text).collect::<String>(), expected);
        assert_eq!(updates.iter().filter(of(field)).find_map(FieldUpdate::value), Some(&Value::from(expected)));
    }
}

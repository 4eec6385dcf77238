//! Values as prompts show them, as `format_field_value` of DSPy 3.4.1 writes them.

use std::borrow::Cow;

use super::{jsonable, media};
use crate::error::{Error, ErrorKind, Result};
use crate::python::{str_of, write_str};
use crate::signature::Type;
use crate::value::{Custom, Value};

/// The text of a value in a field of a type.
///
/// A list in a `str` field becomes numbered passages; other containers become JSON on one line; everything else is
/// Python's `str` of its JSON form.
///
/// ```
/// use lakelet::{Value, adapter::format_field_value, signature::Type};
/// let passages = Value::List(vec!["Paris is in France.".into(), "Line 1\nLine 2".into()]);
/// assert_eq!(
///     format_field_value(&Type::Str, &passages)?,
///     "[1] «Paris is in France.»\n[2] «««\n    Line 1\n    Line 2\n»»»",
/// );
/// assert_eq!(format_field_value(&Type::Any, &passages)?, r#"["Paris is in France.", "Line 1\nLine 2"]"#);
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// # Errors
/// [`Input`](ErrorKind::Input), for a list with items that are no text in a `str` field.
pub fn format_field_value(ty: &Type, value: &Value) -> Result<String> {
    let mut out = String::new();
    write_field_value(&mut out, ty, value)?;
    Ok(out)
}

/// Adds the text of a value; see [`format_field_value`].
pub(super) fn write_field_value(out: &mut String, ty: &Type, value: &Value) -> Result<()> {
    match value {
        Value::List(items) if *ty == Type::Str => write_passages(out, items),
        _ => {
            jsonable::write_text(out, value);
            Ok(())
        }
    }
}

/// Adds Python's `str` of a value: of an image, audio or file it is the content part.
pub(super) fn write_python_str(out: &mut String, value: &Value) {
    match value {
        Value::Custom(custom) if let Custom::Media("Image" | "Audio" | "File", _) = custom.as_ref() => {
            out.push_str(&media::marked(custom));
        }
        _ => write_str(out, value),
    }
}

fn write_passages(out: &mut String, items: &[Value]) -> Result<()> {
    match items {
        [] => out.push_str("N/A"),
        [item] => write_passage(out, &passage(item)?),
        _ => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push('\n');
                }
                out.push('[');
                write_str(out, &Value::Int(i as i64 + 1));
                out.push_str("] ");
                write_passage(out, &passage(item)?);
            }
        }
    }
    Ok(())
}

/// What a passage shows, and whether it needs a block of its own.
struct Passage<'a> {
    text: Cow<'a, str>,
    block: bool,
}

fn write_passage(out: &mut String, passage: &Passage<'_>) {
    if !passage.block {
        out.push('«');
        out.push_str(&passage.text);
        out.push('»');
        return;
    }
    out.push_str("«««\n    ");
    for (i, line) in passage.text.split('\n').enumerate() {
        out.push_str(if i > 0 { "\n    " } else { "" });
        out.push_str(line);
    }
    out.push_str("\n»»»");
}

fn passage(item: &Value) -> Result<Passage<'_>> {
    const BLOCK: [char; 3] = ['\n', '«', '»'];
    let of_text = |text| Passage { text: Cow::Borrowed(text), block: str::contains(text, BLOCK) };
    let shown = |text| Ok(Passage { text: Cow::Owned(text), block: false });
    let is_block = |item: &Value| matches!(item, Value::Str(text) if matches!(text.as_str(), "\n" | "«" | "»"));
    // Python looks for the characters with `in`, which looks for an equal item in a container.
    let container = |found: bool| if found { Err(no_text("AttributeError")) } else { shown(str_of(item)) };
    match item {
        Value::Str(text) => Ok(of_text(text)),
        Value::Custom(custom) => match custom.as_ref() {
            Custom::Reasoning(text) => Ok(of_text(text)),
            Custom::Media("Image" | "Audio" | "File", _) => shown(media::marked(custom)),
            Custom::Example(fields, _) => {
                container(BLOCK.iter().any(|c| fields.contains_key(c.encode_utf8(&mut [0; 2]))))
            }
            _ => shown(str_of(item)),
        },
        Value::Enum(ty, member) => match ty.members.get(*member) {
            Some((_, Value::Str(text))) if matches!(ty.base.as_str(), "str" | "StrEnum") => {
                let passage = of_text(text);
                if passage.block { Ok(passage) } else { shown(str_of(item)) }
            }
            _ => Err(no_text("TypeError")),
        },
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => container(items.iter().any(is_block)),
        Value::Dict(map) => container(["\n", "«", "»"].iter().any(|key| map.contains_key(*key))),
        Value::MixedDict(pairs) => container(pairs.iter().any(|(key, _)| is_block(key))),
        Value::Model(..) => shown(str_of(item)),
        _ => Err(no_text("TypeError")),
    }
}

fn no_text(python_class: &'static str) -> Error {
    Error::new(ErrorKind::Input, "a list in a `str` field must hold text, and one of its items is none")
        .with_hint("make the items text, or give the field a list type such as `list[int]`")
        .with_python_class(python_class)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::signature::{EnumType, ModelField, ModelType};
    use crate::value::{Map, ScalarKind};

    fn any(value: Value) -> String {
        format_field_value(&Type::Any, &value).unwrap()
    }

    fn passages(items: Vec<Value>) -> std::result::Result<String, Option<&'static str>> {
        format_field_value(&Type::Str, &Value::List(items)).map_err(|error| error.python_class())
    }

    fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(items.into_iter().collect())
    }

    fn map<const N: usize>(members: [(&str, Value); N]) -> Map {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn custom(custom: Custom) -> Value {
        Value::Custom(Box::new(custom))
    }

    fn member(base: &str, value: impl Into<Value>) -> Value {
        let members = vec![("B".to_owned(), value.into())];
        Value::Enum(Rc::new(EnumType { name: "E".into(), base: base.into(), members }), 0)
    }

    fn model(types: &[(&str, Type)], values: Map) -> Value {
        let field = |(name, ty): &(&str, Type)| ModelField {
            name: (*name).to_owned(),
            ty: ty.clone(),
            description: None,
            default: None,
            alias: Some("other".into()),
            title: None,
            constraints: vec![],
        };
        let fields = types.iter().map(field).collect();
        let ty = ModelType { name: "M".into(), doc: None, extra: None, typed_dict: false, fields };
        Value::Model(Rc::new(ty), values)
    }

    #[test]
    fn numbers_are_pythons() {
        let shown = [1e16, 1e15, 1e-5, 0.0001, 5e-324, -0.0, f64::NAN, f64::NEG_INFINITY].map(|f| any(f.into()));
        assert_eq!(shown, ["1e+16", "1000000000000000.0", "1e-05", "0.0001", "5e-324", "-0.0", "nan", "-inf"]);
        let inside =
            list([1e22.into(), f64::NAN.into(), f64::INFINITY.into(), Value::BigInt("1180591620717411303424".into())]);
        assert_eq!(any(inside), "[1e+22, null, null, 1180591620717411303424]");
    }

    #[test]
    fn a_float_field_of_a_model_keeps_what_is_no_number() {
        let floats = Type::List(Some(Box::new(Type::Float)));
        let types = [
            ("x", Type::Float),
            ("l", Type::optional(floats.clone())),
            ("d", Type::Dict(Some(Box::new((Type::Str, Type::Float))))),
            ("t", Type::Tuple(Some(vec![Type::Int, Type::Float]))),
            ("u", Type::Union(vec![Type::Any, Type::Float])),
            ("a", Type::Any),
        ];
        let nan = || Value::Float(f64::NAN);
        let value = map([
            ("x", f64::INFINITY.into()),
            ("l", list([nan()])),
            ("d", Value::Dict(map([("k", f64::NEG_INFINITY.into())]))),
            ("t", Value::Tuple(vec![1.into(), nan()])),
            ("u", nan()),
            ("a", list([nan()])),
        ]);
        assert_eq!(
            any(model(&types, value)),
            r#"{"x": Infinity, "l": [NaN], "d": {"k": -Infinity}, "t": [1, NaN], "u": null, "a": [null]}"#
        );
    }

    #[test]
    fn keys_become_text_and_the_last_of_two_equal_ones_wins() {
        let pairs = [
            (Value::Int(1), "a"),
            ("1".into(), "b"),
            (true.into(), "c"),
            (Value::None, "d"),
            (1.5.into(), "e"),
            (1e16.into(), "f"),
            (Value::Tuple(vec![1.into(), Value::Tuple(vec![2.into(), "x".into()])]), "g"),
            (Value::Bytes(b"y".to_vec()), "h"),
            (Value::Scalar(ScalarKind::Date, "2024-01-02".into()), "i"),
            (member("Enum", "red"), "j"),
        ];
        let dict = Value::MixedDict(pairs.into_iter().map(|(key, value)| (key, value.into())).collect());
        assert_eq!(
            any(dict),
            concat!(
                r#"{"1": "b", "true": "c", "None": "d", "1.5": "e", "1e+16": "f", "1,2,x": "g", "#,
                r#""y": "h", "2024-01-02": "i", "red": "j"}"#
            )
        );
    }

    #[test]
    fn what_has_no_json_form_shows_as_python() {
        let bytes = || Value::Bytes(vec![0xff]);
        assert_eq!(any(bytes()), r"b'\xff'");
        assert_eq!(any(Value::Dict(map([("a", bytes()), ("b", 1.into())]))), r"{'a': b'\xff', 'b': 1}");
        let key = Value::MixedDict(vec![(Value::Set(vec![1.into()]), 1.into())]);
        assert_eq!(any(key), "{{1}: 1}");
        assert_eq!(any(list([Value::Bytes(b"hi".to_vec())])), r#"["hi"]"#);
    }

    #[test]
    fn plain_forms_of_other_types() {
        assert_eq!(any(member("Enum", "red")), "red");
        assert_eq!(any(member("Enum", list([1.into(), "a".into()]))), r#"[1, "a"]"#);
        assert_eq!(any(list([member("IntEnum", 1)])), "[1]");
        assert_eq!(any(Value::Set(vec![])), "[]");
        assert_eq!(any(Value::Dict(map([("a", Value::Dict(Map::new())), ("b", list([]))]))), r#"{"a": {}, "b": []}"#);
        assert_eq!(any(Value::Scalar(ScalarKind::Timedelta, "P1DT2S".into())), "P1DT2S");
        assert_eq!(
            any(list(["\0\u{8}\u{1f}\u{7f}\"\\/\u{2028}".into()])),
            "[\"\\u0000\\b\\u001f\u{7f}\\\"\\\\/\u{2028}\"]"
        );
        assert_eq!(any(model(&[("user_name", Type::Str)], map([("user_name", "u".into())]))), r#"{"user_name": "u"}"#);
        let history = Custom::History(vec![map([("q", 1.into())])]);
        assert_eq!(any(custom(history)), r#"{"messages": [{"q": 1}]}"#);
    }

    #[test]
    fn tool_calls_show_names_and_arguments_and_results_when_there_are_any() {
        let call = || Value::Dict(map([("id", "c".into()), ("name", "f".into()), ("args", Value::Dict(Map::new()))]));
        let without = map([("tool_calls", list([call()])), ("tool_call_results", Value::None)]);
        assert_eq!(any(custom(Custom::ToolCalls(without))), r#"{"tool_calls": [{"name": "f", "args": {}}]}"#);
        let with = map([("tool_calls", list([call()])), ("tool_call_results", list([1.into()]))]);
        assert_eq!(
            any(list([custom(Custom::ToolCalls(with))])),
            r#"[{"tool_calls": [{"name": "f", "args": {}}], "tool_call_results": [1]}]"#
        );
    }

    #[test]
    fn media_stand_between_markers() {
        let marked = |json: &str| format!("{}{json}{}", media::START, media::END);
        let shown = |class, attributes| any(custom(Custom::Media(class, attributes)));
        assert_eq!(
            shown("Image", map([("url", " https://a.b/c ".into())])),
            marked(r#"[{"type": "image_url", "image_url": {"url": "https://a.b/c"}}]"#)
        );
        assert_eq!(
            shown("Audio", map([("data", "AA".into()), ("audio_format", "wav".into())])),
            marked(r#"[{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]"#)
        );
        assert_eq!(
            shown("File", map([("filename", "é\"x".into()), ("file_id", "".into()), ("file_data", "data:a".into())])),
            marked(r#"[{"type": "file", "file": {"file_data": "data:a", "filename": "é\"x"}}]"#)
        );
        let document = map([("data", "d".into()), ("title", "".into()), ("context", "c".into())]);
        assert_eq!(
            shown("Document", document),
            marked(concat!(
                r#"[{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "#,
                r#""citations": {"enabled": true}, "context": "c"}]"#
            ))
        );
        let citation = Value::Dict(map([
            ("cited_text", "é".into()),
            ("document_index", 0.into()),
            ("start_char_index", 0.into()),
            ("end_char_index", 1.into()),
            ("supported_text", "s".into()),
        ]));
        assert_eq!(
            any(custom(Custom::Citations(vec![citation]))),
            marked(concat!(
                r#"[{"type": "char_location", "cited_text": "é", "document_index": 0, "start_char_index": 0, "#,
                r#""end_char_index": 1, "supported_text": "s"}]"#
            ))
        );
    }

    #[test]
    fn a_list_in_a_text_field_is_numbered_passages() {
        let texts = |items: &[&str]| passages(items.iter().map(|text| Value::from(*text)).collect());
        assert_eq!(texts(&[]).as_deref(), Ok("N/A"));
        assert_eq!(texts(&["a"]).as_deref(), Ok("«a»"));
        assert_eq!(texts(&["", "a\r"]).as_deref(), Ok("[1] «»\n[2] «a\r»"));
        assert_eq!(texts(&["\nb\n", "»"]).as_deref(), Ok("[1] «««\n    \n    b\n    \n»»»\n[2] «««\n    »\n»»»"));
    }

    #[test]
    fn passages_that_are_no_text() {
        assert_eq!(passages(vec![list(["a".into()])]).as_deref(), Ok("«['a']»"));
        assert_eq!(passages(vec![Value::Tuple(vec!["a".into()])]).as_deref(), Ok("«('a',)»"));
        assert_eq!(passages(vec![member("str", "blue")]).as_deref(), Ok("«E.B»"));
        assert_eq!(passages(vec![member("StrEnum", "blue")]).as_deref(), Ok("«blue»"));
        assert_eq!(passages(vec![member("str", "a\nb")]).as_deref(), Ok("«««\n    a\n    b\n»»»"));
        assert_eq!(passages(vec![custom(Custom::Reasoning("x\ny".into()))]).as_deref(), Ok("«««\n    x\n    y\n»»»"));
        assert_eq!(passages(vec![custom(Custom::Code("x\n=1".into()))]).as_deref(), Ok(r"«code='x\n=1'»"));
        assert_eq!(passages(vec![list(["\n".into()])]), Err(Some("AttributeError")));
        assert_eq!(passages(vec![Value::Dict(map([("»", Value::None)]))]), Err(Some("AttributeError")));
        for item in [Value::None, 1.into(), true.into(), 1.5.into(), Value::Bytes(vec![]), member("IntEnum", 1)] {
            assert_eq!(passages(vec!["a".into(), item]), Err(Some("TypeError")));
        }
        let image = custom(Custom::Media("Image", map([("url", "https://a.b/c".into())])));
        assert!(passages(vec![image]).is_ok_and(|text| text.starts_with("«<<CUSTOM") && text.ends_with(">>»")));
    }
}

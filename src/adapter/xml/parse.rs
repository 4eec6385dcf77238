//! Replies whose fields are elements.

use serde_json::Value as Json;

use super::NAME;
use super::reader::Reader;
use super::schema::{Schema, has_type};
use super::tree::{Element, Tree};
use crate::adapter::outputs::Reading;
use crate::coerce::{Mismatch, parse_value, validate_by_name};
use crate::error::Result;
use crate::python::strip;
use crate::signature::{Signature, Type};
use crate::value::{Map, Value};

/// The output fields of a reply, in the order of the signature.
///
/// The reply must be well-formed XML throughout, but for the one element around it. Only elements that stand directly in it
/// are fields; text between them does not count.
///
/// ```
/// use lakelet::{Signature, Value, adapter::{Adapter, XmlAdapter}};
/// let signature = Signature::parse("question -> answer, numbers: list[int]")?;
/// let reply = "Sure: <answer>\nA &amp; B\n</answer> <numbers><item>1</item><item>2</item></numbers>";
/// let fields = XmlAdapter::default().parse(&signature, reply)?;
/// assert_eq!(fields["answer"], Value::from("A & B"));
/// assert_eq!(fields["numbers"], Value::List(vec![1.into(), 2.into()]));
/// # Ok::<(), lakelet::Error>(())
/// ```
///
/// # Errors
/// [`Parse`](crate::ErrorKind::Parse), with the [`Reply`](crate::error::Reply): `xml_syntax` when the reply is no XML,
/// `missing_fields` when an output without default is not there, `field` when one cannot be made a value of its type.
pub(super) fn parse(signature: &Signature, reply: &str) -> Result<Map> {
    let reading = Reading { adapter: NAME, signature, reply };
    let mut reader = Reader::default();
    reader.push(reply);
    let tree = reader.finish().map_err(|problem| {
        reading
            .error("xml_syntax", &["Failed to parse XML: ", problem].concat(), None)
            .with_hint("The model must escape `&` and `<` and close every tag: use ChatAdapter when it does not.")
    })?;
    let elements = tree.fields();
    let mut found = Map::new();
    for field in signature.outputs() {
        let Some(elements) = elements.get(field.name.as_str()) else { continue };
        let value = field_value(&tree, elements, &field.ty)?.map_err(|mismatch| {
            let message = ["Failed to parse field ", &field.name, ": ", &mismatch.message].concat();
            reading.error("field", &message, None).at_field(&field.name)
        })?;
        found.insert(field.name.clone(), value);
    }
    reading.complete(found)
}

/// The value of a field, of all elements of its name. Where the type is a union its members are tried one by one too.
///
/// # Errors
/// [`Signature`](crate::ErrorKind::Signature), when the type has no JSON Schema.
pub(super) fn field_value(
    tree: &Tree,
    elements: &[&Element],
    ty: &Type,
) -> Result<std::result::Result<Value, Mismatch>> {
    let schema = ty.schema_by_name()?;
    let whole = Schema::whole(&schema);
    let read = |schema| {
        let value = plain(tree, elements, schema, 0);
        parse_value(&value, ty).or_else(|mismatch| match mismatch.issues.is_empty() {
            true => Err(mismatch),
            false => validate_by_name(&value, ty),
        })
    };
    let members = whole.choices().unwrap_or_default();
    Ok(members.iter().fold(read(whole), |result, member| result.or_else(|_| read(whole.with(member)))))
}

/// How deep a schema is followed: it may refer to itself without an element between.
const MAX_DEPTH: usize = 500;

/// Elements as plain data of the shape that a schema has.
fn plain(tree: &Tree, elements: &[&Element], schema: Schema, depth: usize) -> Value {
    let Some(element) = elements.first().filter(|_| depth < MAX_DEPTH) else { return Value::None };
    let text = strip(&element.text);
    let is_leaf = element.children.is_empty();
    let mut schema = schema.resolved();
    if let Some(choices) = schema.choices() {
        if is_leaf && text.is_empty() && choices.iter().any(is_null_alone) {
            return Value::None;
        }
        let mut others = choices.iter().filter(|choice| !has_type(choice, "null"));
        let first = others.clone().next();
        let choice = if is_leaf { first } else { others.find(|choice| !has_type(choice, "string")).or(first) };
        schema = schema.with(choice.unwrap_or(&Json::Null));
    }
    if schema.has_type("array") {
        return list(tree, elements, schema, depth);
    }
    if schema.has_type("string") && !is_leaf {
        return Value::Str(tree.inner_xml(element));
    }
    if is_leaf {
        return match elements {
            _ if schema.has_type("object") && text.is_empty() => Value::Dict(Map::new()),
            [_] => text.into(),
            _ => Value::List(elements.iter().map(|element| strip(&element.text).into()).collect()),
        };
    }
    let properties = schema.json.get("properties");
    let others = schema.json.get("additionalProperties").unwrap_or(&Json::Null);
    let member = |(name, elements): (&str, Vec<&Element>)| {
        let property = properties.and_then(|properties| properties.get(name)).unwrap_or(others);
        (name.to_owned(), plain(tree, &elements, schema.with(property), depth + 1))
    };
    Value::Dict(tree.groups(element).into_iter().map(member).collect())
}

/// The items of a list: elements of the name `item` in the only element, else the elements themselves.
fn list(tree: &Tree, elements: &[&Element], schema: Schema, depth: usize) -> Value {
    let mut elements = elements.to_vec();
    if let [single] = elements.as_slice() {
        let text = strip(&single.text);
        match single.children.is_empty() {
            true if text.is_empty() => return Value::List(Vec::new()),
            true if text.starts_with('[') => return text.into(),
            _ => elements = tree.groups(single).swap_remove("item").unwrap_or(elements),
        }
    }
    Value::List(elements.into_iter().map(|element| plain(tree, &[element], schema.items(), depth + 1)).collect())
}

/// Whether a schema says nothing but that the value is null.
fn is_null_alone(schema: &Json) -> bool {
    has_type(schema, "null") && schema.as_object().is_some_and(|schema| schema.len() == 1)
}

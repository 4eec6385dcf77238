//! The vocabulary of the cases: types, signatures and tagged values, to and from JSON.

use std::rc::Rc;

use super::scripted::ScriptedLm;
use lakelet::adapter::{Adapter, AdapterOptions, TwoStepAdapter, named};
use lakelet::signature::{Decision, EnumType, Field, Io, ModelField, ModelType, Signature, Special, Type, Types};
use lakelet::value::{Custom, Map, ScalarKind, Value};
use lakelet::{Example, Result};
use serde_json::{Map as JsonMap, Value as Json, json};

/// The types that a case defines, beside those of DSPy that a string signature can only name when they are imported.
pub fn types(typedefs: &Json) -> Result<Types> {
    let mut types = Types::new();
    types.insert("Document", Type::Special(Special::Document));
    types.insert("Citations", Type::Special(Special::Citations));
    for (name, definition) in typedefs.as_object().into_iter().flatten() {
        let ty = match definition["kind"].as_str().unwrap_or_default() {
            "enum" => Type::Enum(Rc::new(enumeration(name, definition))),
            "model" => Type::Model(Rc::new(model(name, definition, &types)?)),
            "typeddict" => Type::Model(Rc::new(typed_dict(name, definition, &types)?)),
            "noul" | "choice" | "score" => Type::Special(Special::Decision(Rc::new(decision(definition)?))),
            _ => continue,
        };
        types.insert(name, ty);
    }
    Ok(types)
}

fn decision(definition: &Json) -> Result<Decision> {
    let options = array(&definition["options"]);
    match definition["kind"].as_str() {
        Some("noul") => Decision::noul(options.iter().map(|pair| (pair[0] == true, pair[1].clone())).collect()),
        Some("choice") => Decision::choice(options.iter().map(|pair| ((&pair[0]).into(), pair[1].clone())).collect()),
        _ => Decision::score(array(&definition["levels"]).to_vec()),
    }
}

fn enumeration(name: &str, definition: &Json) -> EnumType {
    let members = array(&definition["members"]).iter().map(|m| (text(&m[0]), Value::from(&m[1]))).collect();
    EnumType { name: name.to_owned(), base: text(&definition["base"]), members }
}

fn model(name: &str, definition: &Json, types: &Types) -> Result<ModelType> {
    let mut types = types.clone();
    types.insert(name, Type::ModelRef(name.to_owned()));
    let mut fields = Vec::new();
    for field in array(&definition["fields"]) {
        let optional = |key: &str| field[key].as_str().map(str::to_owned);
        let default = field.get("default").map(|default| value(default, &types)).transpose()?;
        fields.push(ModelField {
            name: text(&field["name"]),
            ty: Type::parse(&text(&field["type"]), &types)?,
            description: optional("description"),
            default,
            alias: optional("alias"),
            title: optional("title"),
            constraints: members(&field["constraints"]).map(|(key, bound)| (key.clone(), bound.into())).collect(),
        });
    }
    Ok(ModelType {
        name: name.to_owned(),
        doc: definition["doc"].as_str().map(str::to_owned),
        extra: definition["extra"].as_str().map(str::to_owned),
        typed_dict: false,
        fields,
    })
}

fn typed_dict(name: &str, definition: &Json, types: &Types) -> Result<ModelType> {
    let mut fields = Vec::new();
    for field in array(&definition["fields"]) {
        fields.push(ModelField {
            name: text(&field[0]),
            ty: Type::parse(&text(&field[1]), types)?,
            description: None,
            default: None,
            alias: None,
            title: None,
            constraints: Vec::new(),
        });
    }
    Ok(ModelType { name: name.to_owned(), doc: None, extra: None, typed_dict: true, fields })
}

/// An adapter: its name, or `{"name", "options"}`; DSPy's default for null.
pub fn adapter(json: &Json) -> std::result::Result<Rc<dyn Adapter>, String> {
    let option = |name: &str| json["options"][name].as_bool();
    let options = AdapterOptions {
        native_function_calling: option("use_native_function_calling"),
        parallel_tool_calls: option("parallel_tool_calls"),
        json_fallback: option("use_json_adapter_fallback"),
    };
    match json.as_str().or_else(|| json["name"].as_str()) {
        Some("TwoStepAdapter") => Ok(Rc::new(TwoStepAdapter::new(Rc::new(ScriptedLm::new(&json["extraction_lm"]))))),
        name => named(name.unwrap_or("ChatAdapter"), options).map_err(|error| format!("not built: {error}")),
    }
}

/// A signature: a string, `{"string": ...}` or `{"fields": [...]}`.
pub fn signature(json: &Json, types: &Types) -> Result<Signature> {
    if let Some(string) = json.as_str() {
        return Signature::parse_with(string, types);
    }
    let instructions = json["instructions"].as_str();
    if let Some(string) = json["string"].as_str() {
        let signature = Signature::parse_with(string, types)?;
        return match instructions {
            Some(instructions) => signature.with_instructions(instructions),
            None => Ok(signature),
        };
    }
    let fields = array(&json["fields"]).iter().map(|json| field(json, types)).collect::<Result<_>>()?;
    Signature::from_fields(fields, instructions)
}

/// A field of a signature.
pub fn field(json: &Json, types: &Types) -> Result<Field> {
    let ty = match json["type"].as_str() {
        Some(ty) => Type::parse(ty, types)?,
        None => Type::Str,
    };
    let name = text(&json["name"]);
    let mut field = if json["io"] == "output" { Field::output(name, ty) } else { Field::input(name, ty) };
    for (key, bound) in members(&json["constraints"]) {
        field = match bound.as_str() {
            Some(description) if key == "description" => field.with_desc(description),
            _ => field.with_constraint(key, Value::from(bound)),
        };
    }
    if let Some(desc) = json["desc"].as_str() {
        field = field.with_desc(desc);
    }
    if let Some(prefix) = json["prefix"].as_str() {
        field = field.with_prefix(prefix);
    }
    if let Some(default) = json.get("default") {
        field = field.with_default(value(default, types)?);
    }
    Ok(field)
}

/// How a case describes a signature.
pub fn describe(signature: &Signature) -> Json {
    let fields: Vec<Json> = signature
        .fields
        .iter()
        .map(|field| {
            json!({
                "name": field.name,
                "io": if field.io == Io::Input { "input" } else { "output" },
                "annotation_name": field.ty.annotation_name(),
                "prefix": field.prefix,
                "desc": field.desc,
                "constraints": field.constraints,
                "type_undefined": field.type_undefined,
                "required": field.default.is_none(),
                "allows_none": field.ty.allows_none(),
            })
        })
        .collect();
    json!({"fields": fields, "instructions": *signature.instructions, "signature": signature.to_text()})
}

/// Values by field name.
pub fn example(json: &Json, types: &Types) -> Result<Example> {
    match value(json, types)? {
        Value::Dict(fields) => Ok(Example::from(fields)),
        _ => Ok(Example::new()),
    }
}

/// A tagged value.
pub fn value(json: &Json, types: &Types) -> Result<Value> {
    let all = |items: &Json| array(items).iter().map(|item| value(item, types)).collect::<Result<Vec<_>>>();
    let scalar = |kind, content: &Json| Value::Scalar(kind, text(content));
    let object = match json {
        Json::Array(_) => return all(json).map(Value::List),
        Json::Object(object) => object,
        plain => return Ok(Value::from(plain)),
    };
    let Some((tag, content)) = object.iter().next().filter(|(tag, _)| tag.starts_with('$')) else {
        return map(object, types).map(Value::Dict);
    };
    Ok(match tag.as_str() {
        "$tuple" => Value::Tuple(all(content)?),
        "$set" => Value::Set(all(content)?),
        "$dict" => {
            let pairs = array(content).iter().map(|pair| Ok((value(&pair[0], types)?, value(&pair[1], types)?)));
            dict(pairs.collect::<Result<_>>()?)
        }
        "$float" => Value::Float(match content.as_str() {
            Some("inf") => f64::INFINITY,
            Some("-inf") => f64::NEG_INFINITY,
            _ => f64::NAN,
        }),
        "$bigint" => Value::BigInt(text(content)),
        "$bytes" => Value::Bytes(from_base64(&text(content))),
        "$datetime" => Value::Scalar(ScalarKind::Datetime, text(content).replace("+00:00", "Z")),
        "$time" => Value::Scalar(ScalarKind::Time, text(content).replace("+00:00", "Z")),
        "$date" => scalar(ScalarKind::Date, content),
        "$timedelta" => scalar(ScalarKind::Timedelta, content),
        "$decimal" => scalar(ScalarKind::Decimal, content),
        "$uuid" => scalar(ScalarKind::Uuid, content),
        "$enum" => match types.get(&text(content)) {
            Some(Type::Enum(ty)) => {
                let member = ty.members.iter().position(|(name, _)| object["name"] == name.as_str());
                Value::Enum(ty.clone(), member.unwrap_or(usize::MAX))
            }
            _ => Value::None,
        },
        "$model" => match types.get(&text(content)) {
            Some(Type::Model(ty)) => instance(ty, &object["value"], types)?,
            Some(Type::Special(Special::Decision(decision))) => {
                let fields = map(object["value"].as_object().unwrap_or(&JsonMap::new()), types)?;
                Value::Custom(Box::new(Custom::Decision(decision.clone(), fields)))
            }
            _ => Value::None,
        },
        "$example" => {
            let inputs = object.get("inputs").map(|names| array(names).iter().map(text).collect());
            let fields = map(content.as_object().unwrap_or(&JsonMap::new()), types)?;
            Value::Custom(Box::new(Custom::Example(fields, inputs)))
        }
        "$dspy" => Value::Custom(Box::new(custom(&text(content), object, types)?)),
        _ => Value::Dict(map(object, types)?),
    })
}

/// A model with the given fields, by name or alias; the others take their defaults.
fn instance(ty: &Rc<ModelType>, given: &Json, types: &Types) -> Result<Value> {
    let mut fields = Map::new();
    for field in &ty.fields {
        let alias = field.alias.as_deref().unwrap_or(&field.name);
        let content = match given.get(&field.name).or_else(|| given.get(alias)) {
            Some(content) => value(content, types)?,
            None => field.default.clone().unwrap_or(Value::None),
        };
        fields.insert(field.name.clone(), content);
    }
    for (name, content) in members(given) {
        if !ty.fields.iter().any(|field| field.name == *name || field.alias.as_ref() == Some(name)) {
            fields.insert(name.clone(), value(content, types)?);
        }
    }
    Ok(Value::Model(ty.clone(), fields))
}

fn custom(class: &str, object: &JsonMap<String, Json>, types: &Types) -> Result<Custom> {
    let attributes = || map(object, types);
    let content = |key: &str| object.get(key).map(text).unwrap_or_default();
    let messages = |json: &Json| {
        let maps = array(json).iter().map(|message| map(message.as_object().unwrap_or(&JsonMap::new()), types));
        maps.collect::<Result<Vec<_>>>()
    };
    Ok(match class {
        "History" => Custom::History(messages(&object["messages"])?),
        "Image" => Custom::Media("Image", attributes()?),
        "Audio" => Custom::Media("Audio", attributes()?),
        "File" => Custom::Media("File", attributes()?),
        "Document" => Custom::Media("Document", attributes()?),
        "Code" => Custom::Code(content("code")),
        "Reasoning" => Custom::Reasoning(content("content")),
        "ToolCalls" => Custom::ToolCalls(attributes()?),
        "Citations" => Custom::Citations(match value(&object["citations"], types)? {
            Value::List(items) => items,
            _ => Vec::new(),
        }),
        _ => Custom::Tool(attributes()?),
    })
}

/// The members of an object, without tags.
fn map(object: &JsonMap<String, Json>, types: &Types) -> Result<Map> {
    let members = object.iter().filter(|(key, _)| !key.starts_with('$'));
    members.map(|(key, content)| Ok((key.clone(), value(content, types)?))).collect()
}

/// A dict of pairs. Of equal keys (`1` and `True` too) the first stays, with the last value.
fn dict(pairs: Vec<(Value, Value)>) -> Value {
    let number = |key: &Value| match key {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    let mut unique: Vec<(Value, Value)> = Vec::new();
    for (key, content) in pairs {
        let twin = |other: &Value| *other == key || (number(other).is_some() && number(other) == number(&key));
        match unique.iter_mut().find(|(other, _)| twin(other)) {
            Some((_, old)) => *old = content,
            None => unique.push((key, content)),
        }
    }
    if unique.iter().all(|(key, _)| key.as_str().is_some()) {
        let text_key = |(key, content): (Value, Value)| (key.as_str().unwrap_or_default().to_owned(), content);
        return Value::Dict(unique.into_iter().map(text_key).collect());
    }
    Value::MixedDict(unique)
}

/// A value as the cases write it.
pub fn to_json(value: &Value) -> Json {
    let all = |items: &[Value]| Json::Array(items.iter().map(to_json).collect());
    let object = |map: &Map| Json::Object(map.iter().map(|(key, value)| (key.clone(), to_json(value))).collect());
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::BigInt(digits) => match digits.parse::<u64>() {
            Ok(number) if number <= i64::MAX as u64 => json!(number),
            _ => json!({"$bigint": digits}),
        },
        Value::Float(f) if f.is_nan() => json!({"$float": "nan"}),
        Value::Float(f) if f.is_infinite() => json!({"$float": if *f > 0.0 { "inf" } else { "-inf" }}),
        Value::Float(f) => json!(f),
        Value::Str(text) => json!(text),
        Value::List(items) => all(items),
        Value::Dict(map) => object(map),
        Value::MixedDict(pairs) => {
            let pairs: Vec<Json> = pairs.iter().map(|(key, value)| json!([to_json(key), to_json(value)])).collect();
            json!({"$dict": pairs})
        }
        Value::Tuple(items) => json!({"$tuple": all(items)}),
        Value::Set(items) => {
            // Sets have no order; the cases sort them by text.
            let mut items: Vec<Json> = items.iter().map(to_json).collect();
            items.sort_by_key(ToString::to_string);
            json!({"$set": items})
        }
        Value::Bytes(bytes) => json!({"$bytes": to_base64(bytes)}),
        Value::Scalar(kind, text) => match kind {
            ScalarKind::Datetime => json!({"$datetime": text.replace('Z', "+00:00")}),
            ScalarKind::Time => json!({"$time": text.replace('Z', "+00:00")}),
            ScalarKind::Date => json!({"$date": text}),
            ScalarKind::Timedelta => json!({"$timedelta": text}),
            ScalarKind::Decimal => json!({"$decimal": text}),
            ScalarKind::Uuid => json!({"$uuid": text}),
        },
        Value::Enum(ty, member) => match ty.members.get(*member) {
            Some((name, value)) => json!({"$enum": ty.name, "name": name, "value": to_json(value)}),
            None => Json::Null,
        },
        Value::Model(ty, fields) if ty.typed_dict => object(fields),
        Value::Model(ty, fields) => json!({"$model": ty.name, "value": object(fields)}),
        Value::Custom(custom) => {
            let tagged = |class: &str, map: &Map| {
                let mut json = json!({"$dspy": class});
                for (key, value) in map {
                    json[key] = to_json(value);
                }
                json
            };
            match custom.as_ref() {
                Custom::History(messages) => {
                    json!({"$dspy": "History", "messages": messages.iter().map(object).collect::<Vec<_>>()})
                }
                Custom::Media(class, attributes) => tagged(class, attributes),
                Custom::Code(code) => json!({"$dspy": "Code", "code": code}),
                Custom::Reasoning(text) => json!({"$dspy": "Reasoning", "content": text}),
                Custom::ToolCalls(calls) => tagged("ToolCalls", calls),
                Custom::Tool(tool) => tagged("Tool", tool),
                Custom::Decision(decision, fields) => json!({"$model": decision.name(), "value": object(fields)}),
                Custom::Example(fields, None) => json!({"$example": object(fields)}),
                Custom::Example(fields, Some(inputs)) => json!({"$example": object(fields), "inputs": inputs}),
                Custom::Citations(citations) => {
                    let model = |name: &str, value: Json| json!({"$model": name, "value": value});
                    let citations: Vec<Json> = citations.iter().map(|one| model("Citation", to_json(one))).collect();
                    model("Citations", json!({"citations": citations}))
                }
            }
        }
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn from_base64(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter_map(|byte| BASE64.iter().position(|digit| *digit == byte));
    let bits: Vec<usize> = digits.flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect()
}

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | usize::from(*chunk.get(i).unwrap_or(&0)));
        for i in 0..4 {
            text.push(if i <= chunk.len() { BASE64[bits >> (18 - 6 * i) & 63].into() } else { '=' });
        }
    }
    text
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn array(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn members(json: &Json) -> impl Iterator<Item = (&String, &Json)> {
    json.as_object().into_iter().flatten()
}

//! Columns as prompts show them: SQL expressions that write a value as [`format_field_value`](crate::adapter::format_field_value) does.
//!
//! What cannot be shown in a row, and no type tells it before, becomes a text with a marker of content parts in it: rows with such a marker
//! are refused as a whole.

use super::query::{literal, quoted};
use crate::adapter::media::START;
use crate::databricks::sql::{Column, ColumnType};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::module::TemplateField;

/// The text of a column as the value of an input. It is never null.
///
/// # Errors
/// [`Input`](ErrorKind::Input) at the input, for a type that prompts have no form for.
pub(super) fn shown(input: &TemplateField, column: &Column) -> Result<String> {
    let value = quoted(&input.name);
    let refused = |why: &str, hint: &str| {
        let message = format!("the column for the input `{}` is {}: {why}", input.name, column.type_text);
        Error::new(ErrorKind::Input, message).at_field(&input.name).with_hint(hint)
    };
    let no_form = || {
        let hint = "Give an expression that makes it a text: CAST(x AS STRING), date_format(x, 'yyyy-MM-dd HH:mm:ss'), to_json(x).";
        refused("prompts have no form for it that SQL could write", hint)
    };
    let column_type = column.column_type();
    Ok(match &column_type {
        ColumnType::Text => or_none(&value),
        ColumnType::Integer | ColumnType::Decimal | ColumnType::Date => or_none(&as_text(&value)),
        ColumnType::Float => or_none(&float(&value, ["nan", "inf", "-inf"])),
        ColumnType::Boolean => format!("CASE WHEN {value} THEN 'True' WHEN NOT {value} THEN 'False' ELSE 'None' END"),
        ColumnType::Array(item) if input.is_text => match **item {
            ColumnType::Text => passages(&value),
            _ => {
                return Err(refused(
                    "a list in a `str` field must hold texts",
                    "Give the field a type such as list[int].",
                ));
            }
        },
        ColumnType::Array(_) | ColumnType::Map(..) | ColumnType::Struct(_) => {
            let text = json(&column_type, &value, 0).ok_or_else(no_form)?;
            format!("CASE WHEN {value} IS NULL THEN 'None' ELSE {text} END")
        }
        ColumnType::Other => return Err(no_form()),
    })
}

fn or_none(text: &str) -> String {
    format!("coalesce({text}, 'None')")
}

fn as_text(value: &str) -> String {
    format!("CAST({value} AS STRING)")
}

/// Numbered passages, and a passage alone without a number.
fn passages(value: &str) -> String {
    let (alone, numbered) = (passage(&format!("{value}[0]")), passage(&format!("element_at({value}, i)")));
    format!(
        "CASE WHEN {value} IS NULL THEN 'None' WHEN size({value}) = 0 THEN 'N/A' WHEN size({value}) = 1 THEN {alone} ELSE \
         array_join(transform(sequence(1, size({value})), i -> concat('[', {}, '] ', {numbered})), chr(10)) END",
        as_text("i")
    )
}

/// A passage; one with line breaks or quotes of its own is a block.
fn passage(text: &str) -> String {
    let holds = |part: &str| format!("instr({text}, {part}) > 0");
    let is_block = ["chr(10)", "'«'", "'»'"].map(holds).join(" OR ");
    format!(
        "CASE WHEN {text} IS NULL THEN {} WHEN {is_block} THEN concat('«««', chr(10), '    ', \
         replace({text}, chr(10), concat(chr(10), '    ')), chr(10), '»»»') ELSE concat('«', {text}, '»') END",
        literal(START)
    )
}

/// JSON on one line, as Python's `json.dumps(ensure_ascii=False)` writes it; `None` where a type in it has no form. It is never null.
fn json(column_type: &ColumnType, value: &str, depth: usize) -> Option<String> {
    let item = format!("x{depth}");
    let text = match column_type {
        ColumnType::Text => json_string(value),
        ColumnType::Date => json_string(&as_text(value)),
        ColumnType::Integer => as_text(value),
        ColumnType::Float => float(value, ["null", "null", "null"]),
        ColumnType::Boolean => format!("CASE WHEN {value} THEN 'true' ELSE 'false' END"),
        ColumnType::Array(of) => {
            joined("[", &format!("transform({value}, {item} -> {})", json(of, &item, depth + 1)?), "]")
        }
        ColumnType::Map(key, of) if **key == ColumnType::Text => {
            let member = json(of, &format!("{item}.value"), depth + 1)?;
            let member = format!("concat({}, ': ', {member})", json_string(&format!("{item}.key")));
            joined("{", &format!("transform(map_entries({value}), {item} -> {member})"), "}")
        }
        ColumnType::Struct(members) if !members.is_empty() => {
            let member = |(name, of): &(String, ColumnType)| {
                let mut label = String::new();
                json::write_str(&mut label, name);
                let value = json(of, &format!("{value}.{}", quoted(name)), depth)?;
                Some(format!("{}, {value}", literal(&format!("{label}: "))))
            };
            let members = members.iter().map(member).collect::<Option<Vec<_>>>()?;
            format!("concat('{{', {}, '}}')", members.join(", ', ', "))
        }
        _ => return None,
    };
    Some(format!("CASE WHEN {value} IS NULL THEN 'null' ELSE {text} END"))
}

fn joined(open: &str, items: &str, close: &str) -> String {
    format!("concat('{open}', array_join({items}, ', '), '{close}')")
}

/// A text in quotes, with what JSON has no place for escaped.
fn json_string(text: &str) -> String {
    let replaced = |text: String, from: &str, to: &str| format!("replace({text}, {from}, {})", literal(to));
    let mut text = replaced(replaced(text.to_owned(), "'\\\\'", "\\\\"), "'\"'", "\\\"");
    for code in 0..0x20_u8 {
        let mut escaped = String::new();
        json::write_str(&mut escaped, char::from(code).encode_utf8(&mut [0; 4]));
        text = replaced(text, &format!("chr({code})"), escaped.trim_matches('"'));
    }
    format!("concat('\"', {text}, '\"')")
}

/// A float as Python's `repr` writes it, and what is no number as told. Engines write the digits of floats beyond 1e16, and of
/// those next to 0, in ways of their own: such rows are refused.
fn float(value: &str, [nan, infinity, minus_infinity]: [&str; 3]) -> String {
    // The engine's text, `1.25E-5`, its parts before and behind the `E`, and its digits.
    let (mantissa, exponent) = ("substring_index(t, 'E', 1)", "CAST(substring_index(t, 'E', -1) AS INT)");
    let sign = "CASE WHEN t LIKE '-%' THEN '-' ELSE '' END";
    let digits = format!("replace(replace({mantissa}, '-', ''), '.', '')");
    let short = format!("CASE WHEN {mantissa} LIKE '%.0' THEN replace({digits}, '0', '') ELSE {digits} END");
    let (whole, fraction) = (format!("{exponent} + 1"), format!("{exponent} + 2"));
    let plain = format!(
        "concat({sign}, substring(rpad({digits}, {whole}, '0'), 1, {whole}), '.', \
         CASE WHEN length({digits}) > {whole} THEN substring({digits}, {fraction}) ELSE '0' END)"
    );
    let small = format!("concat({sign}, '0.000', {short})");
    let exponential = format!(
        "concat(CASE WHEN {mantissa} LIKE '%.0' THEN replace({mantissa}, '.0', '') ELSE {mantissa} END, 'e-', \
         lpad(CAST(-{exponent} AS STRING), 2, '0'))"
    );
    format!(
        "transform(array({}), t -> CASE t WHEN 'NaN' THEN '{nan}' WHEN 'Infinity' THEN '{infinity}' WHEN '-Infinity' THEN \
         '{minus_infinity}' ELSE CASE WHEN instr(t, 'E') = 0 THEN t WHEN {exponent} > 15 OR {exponent} < -99 THEN {} \
         WHEN {exponent} > 0 THEN {plain} WHEN {exponent} = -4 THEN {small} ELSE {exponential} END END)[0]",
        as_text(value),
        literal(START)
    )
}

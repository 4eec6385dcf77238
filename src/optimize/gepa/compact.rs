//! Long tool results inside histories, made short.

use crate::python::str_of;
use crate::value::{Custom, Map, Value};

/// Of a longer result this many characters stay.
const KEPT: usize = 500;

/// The value with every tool result inside a history cut to 500 characters; as `compact_history` of DSPy 3.4.1.
pub(super) fn compact(value: &Value) -> Value {
    match value {
        Value::List(items) | Value::Tuple(items) => Value::List(items.iter().map(compact).collect()),
        Value::Dict(members) => Value::Dict(compact_members(members)),
        Value::Custom(custom) => match custom.as_ref() {
            Custom::History(turns) => {
                Value::Custom(Box::new(Custom::History(turns.iter().map(compact_turn).collect())))
            }
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

pub(super) fn compact_members(members: &Map) -> Map {
    members.iter().map(|(name, value)| (name.clone(), compact(value))).collect()
}

fn compact_turn(turn: &Map) -> Map {
    let mut turn = turn.clone();
    for value in turn.values_mut() {
        if let Value::Custom(custom) = value
            && let Custom::ToolCalls(calls) = custom.as_mut()
            && let Some(results) = calls.get_mut("tool_call_results")
        {
            cut_results(results);
        }
    }
    turn
}

fn cut_results(results: &mut Value) {
    match results {
        Value::List(items) => items.iter_mut().for_each(cut_results),
        Value::Dict(members) | Value::Model(_, members) => match members.get_mut("tool_call_results") {
            Some(inner) => cut_results(inner),
            None => {
                if let Some(value) = members.get_mut("value") {
                    cut(value);
                }
            }
        },
        _ => {}
    }
}

fn cut(value: &mut Value) {
    let text = str_of(value);
    let length = text.chars().count();
    if let Some((end, _)) = text.char_indices().nth(KEPT)
        && let Some(kept) = text.get(..end)
    {
        let marker = [" [", &grouped(length - KEPT), " of ", &grouped(length), " characters cut]"].concat();
        *value = [kept, &marker].concat().into();
    }
}

/// A number with commas between the thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_results_are_cut_by_characters() {
        for (length, expected) in [(500, None), (501, Some(" [1 of 501 characters cut]"))] {
            let mut value = Value::from("é".repeat(length));
            cut(&mut value);
            let expected = expected.map_or("é".repeat(length), |marker| "é".repeat(500) + marker);
            assert_eq!(value.as_str(), Some(expected.as_str()));
        }
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }
}

//! Lines of CSV.

use super::str_of;
use crate::value::Value;

/// A line as Python's `csv.writer` writes it, with its end: values that are no text as `str` has them, nothing for `None`, and quotes
/// around what has a comma, a quote or a line break.
///
/// ```
/// use lakelet::Value;
/// let values = ["a,b".into(), Value::None, 1.0.into(), true.into(), "so \"so\"".into()];
/// assert_eq!(lakelet::python::csv_line(&values), "\"a,b\",,1.0,True,\"so \"\"so\"\"\"\r\n");
/// ```
pub fn csv_line(values: &[Value]) -> String {
    let cells: Vec<String> = values.iter().map(cell).collect();
    let mut line = cells.join(",");
    if cells.len() == 1 && line.is_empty() {
        line.push_str("\"\""); // an empty line would be no row
    }
    line.push_str("\r\n");
    line
}

fn cell(value: &Value) -> String {
    let text = if *value == Value::None { String::new() } else { str_of(value) };
    if text.contains([',', '"', '\r', '\n']) { ["\"", &text.replace('"', "\"\""), "\""].concat() } else { text }
}

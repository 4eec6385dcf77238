//! The type of a column, out of the text that a result's schema has for it: `ARRAY<STRUCT<a: STRING, b: INT>>`.

use serde_json::Value as Json;

use crate::json;

/// A type as far as values and prompts tell types apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ColumnType {
    Text,
    Integer,
    Float,
    Boolean,
    Decimal,
    Date,
    Array(Box<ColumnType>),
    /// By its keys and its values.
    Map(Box<ColumnType>, Box<ColumnType>),
    Struct(Vec<(String, ColumnType)>),
    /// Times, intervals, bytes, variants, and what else there may be.
    Other,
}

impl ColumnType {
    /// Reads the text of a type; what cannot be read is [`Other`](Self::Other).
    pub fn parse(text: &str) -> Self {
        let mut reader = Reader { rest: text };
        reader.read().filter(|_| reader.rest.is_empty()).unwrap_or(Self::Other)
    }

    /// The value of a text: whole numbers, floats and booleans as JSON's own, and what is nested likewise, down to its leaves; decimals,
    /// dates, times and texts as texts.
    pub fn value(&self, text: &str) -> Json {
        let read = match self {
            Self::Integer => text.parse::<i64>().ok().map(Json::from),
            Self::Float => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Json::from),
            Self::Boolean => text.parse::<bool>().ok().map(Json::from),
            Self::Array(_) | Self::Map(..) | Self::Struct(_) => json::read(text).ok().map(|nested| self.typed(nested)),
            Self::Text | Self::Decimal | Self::Date | Self::Other => None,
        };
        read.unwrap_or_else(|| text.into())
    }

    /// A nested value, whose leaves come as texts.
    fn typed(&self, value: Json) -> Json {
        match (self, value) {
            (Self::Array(item), Json::Array(items)) => items.into_iter().map(|value| item.typed(value)).collect(),
            (Self::Map(_, of), Json::Object(members)) => {
                Json::Object(members.into_iter().map(|(key, value)| (key, of.typed(value))).collect())
            }
            (Self::Struct(types), Json::Object(members)) => {
                let of = |name: &str| types.iter().find(|(known, _)| known == name).map(|(_, of)| of);
                let typed = |(name, value): (String, Json)| {
                    let value = match of(&name) {
                        Some(of) => of.typed(value),
                        None => value,
                    };
                    (name, value)
                };
                Json::Object(members.into_iter().map(typed).collect())
            }
            (_, Json::String(text)) => self.value(&text),
            (_, other) => other,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<ColumnType> {
        let name = self.word().to_ascii_uppercase();
        let read = match name.as_str() {
            "STRING" | "VARCHAR" | "CHAR" => ColumnType::Text,
            "TINYINT" | "BYTE" | "SMALLINT" | "SHORT" | "INT" | "INTEGER" | "BIGINT" | "LONG" => ColumnType::Integer,
            "FLOAT" | "REAL" | "DOUBLE" => ColumnType::Float,
            "BOOLEAN" => ColumnType::Boolean,
            "DECIMAL" | "DEC" | "NUMERIC" => ColumnType::Decimal,
            "DATE" => ColumnType::Date,
            "ARRAY" if self.take("<") => {
                let item = self.read()?;
                self.take(">").then(|| ColumnType::Array(Box::new(item)))?
            }
            "MAP" if self.take("<") => {
                let key = self.read()?;
                let value = self.take(",").then(|| self.read())??;
                self.take(">").then(|| ColumnType::Map(Box::new(key), Box::new(value)))?
            }
            "STRUCT" if self.take("<") => ColumnType::Struct(self.members()?),
            _ => ColumnType::Other,
        };
        self.skip_details();
        Some(read)
    }

    fn members(&mut self) -> Option<Vec<(String, ColumnType)>> {
        let mut members = Vec::new();
        while !self.take(">") {
            let name = self.name()?;
            self.take(":");
            members.push((name, self.read()?));
            self.take(",");
        }
        Some(members)
    }

    fn word(&mut self) -> &str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or(("", self.rest));
        self.rest = rest;
        word
    }

    /// The name of a member, which may be in backticks.
    fn name(&mut self) -> Option<String> {
        if !self.take("`") {
            let end = self.rest.find([':', ' ', '>', ','])?;
            let (name, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            return Some(name.to_owned());
        }
        let mut name = String::new();
        loop {
            let (part, rest) = self.rest.split_once('`')?;
            name.push_str(part);
            self.rest = rest;
            match rest.strip_prefix('`') {
                Some(rest) => self.rest = rest,
                None => return Some(name),
            }
            name.push('`');
        }
    }

    fn take(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Goes past what else is said of a type: `(10,2)`, `NOT NULL`, `COLLATE UTF8_BINARY`, `COMMENT '...'`.
    fn skip_details(&mut self) {
        let mut quoted = false;
        let mut depth = 0;
        let end = self.rest.find(|c| {
            match c {
                '\'' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            !quoted && depth == 0 && matches!(c, ',' | '>')
        });
        self.rest = self.rest.get(end.unwrap_or(self.rest.len())..).unwrap_or("");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ColumnType::{self, *};

    #[test]
    fn types_are_read_as_schemas_write_them() {
        let array = |item| Array(Box::new(item));
        for (text, expected) in [
            ("STRING", Text),
            ("string", Text),
            ("VARCHAR(10)", Text),
            ("BIGINT", Integer),
            ("DECIMAL(10,2)", Decimal),
            ("ARRAY<STRING>", array(Text)),
            ("ARRAY<ARRAY<DECIMAL(3,1)>>", array(array(Decimal))),
            ("MAP<STRING, ARRAY<INT>>", Map(Box::new(Text), Box::new(array(Integer)))),
            (
                "STRUCT<a: STRING NOT NULL COMMENT 'x, >', `b``.c`: STRUCT<d:DOUBLE>, e: DATE>",
                Struct(vec![
                    ("a".to_owned(), Text),
                    ("b`.c".to_owned(), Struct(vec![("d".to_owned(), Float)])),
                    ("e".to_owned(), Date),
                ]),
            ),
            ("TIMESTAMP", Other),
            ("INTERVAL DAY TO SECOND", Other),
            ("ARRAY<TIMESTAMP_NTZ>", array(Other)),
            ("STRUCT<>", Struct(vec![])),
            ("ARRAY<STRING", Other),
            ("STRUCT<a", Other),
            ("", Other),
        ] {
            assert_eq!(ColumnType::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn values_are_read_down_to_their_leaves() {
        for (column_type, text, value) in [
            ("BIGINT", "5", json!(5)),
            ("DOUBLE", "1.0E10", json!(1e10)),
            ("DOUBLE", "NaN", json!("NaN")),
            ("BOOLEAN", "true", json!(true)),
            ("DECIMAL(3,2)", "1.50", json!("1.50")),
            ("STRING", "[1]", json!("[1]")),
            ("ARRAY<INT>", r#"["1",null,2]"#, json!([1, null, 2])),
            ("MAP<STRING, DOUBLE>", r#"{"a":"0.5"}"#, json!({"a": 0.5})),
            (
                "STRUCT<a: BOOLEAN, b: ARRAY<DATE>>",
                r#"{"a":"false","b":["2026-01-01"],"c":"1"}"#,
                json!({"a": false, "b": ["2026-01-01"], "c": "1"}),
            ),
            ("ARRAY<INT>", "no JSON", json!("no JSON")),
            ("VARIANT", r#"{"a":1}"#, json!(r#"{"a":1}"#)),
        ] {
            assert_eq!(ColumnType::parse(column_type).value(text), value, "{column_type}");
        }
    }
}

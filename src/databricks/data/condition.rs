//! Which rows are taken.

use serde_json::{Map, Value as Json, json};

use super::query::{Parameters, path};
use crate::error::{Error, ErrorKind, Result};

/// A condition on the rows of a source.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The column, or a member of one (`range.start.line`), has no value; or, when `negated`, has one.
    Null { column: String, negated: bool },
    /// The column compares with a value so.
    Compare {
        column: String,
        comparison: Comparison,
        /// Several for [`Comparison::In`] and [`Comparison::NotIn`].
        values: Vec<Json>,
        /// Rows in which the column has no value are kept. SQL alone would drop them, whatever the comparison.
        keep_nulls: bool,
    },
    /// An expression of SQL that is true, with the values of the parameters that it names. It is sent as it stands.
    Expression { sql: String, parameters: Map<String, Json> },
}

/// How a column and a value compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
    In,
    NotIn,
}

impl Comparison {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Equal, "="),
        (Self::NotEqual, "<>"),
        (Self::Less, "<"),
        (Self::LessOrEqual, "<="),
        (Self::Greater, ">"),
        (Self::GreaterOrEqual, ">="),
        (Self::Like, "LIKE"),
        (Self::NotLike, "NOT LIKE"),
        (Self::In, "IN"),
        (Self::NotIn, "NOT IN"),
    ];

    fn sql(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("=", |(_, sql)| sql)
    }

    fn is_negated(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotLike | Self::NotIn)
    }
}

impl Condition {
    /// Reads a condition: `{column, operator, value?, nulls?}` with an operator of [`Comparison`], `is null` or `is not null`, and `nulls`
    /// as `keep` or `drop`; or `{expression, parameters?}`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the member that is missing or wrong.
    pub fn from_json(json: &Json) -> Result<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        if let Some(sql) = text("expression") {
            let parameters = json.get("parameters").and_then(Json::as_object).cloned().unwrap_or_default();
            return Ok(Self::Expression { sql: sql.to_owned(), parameters });
        }
        let column =
            text("column").ok_or_else(|| wrong("column", "Give `column` and `operator`, or an `expression`."))?;
        let column = column.to_owned();
        let operator = text("operator").unwrap_or("=").to_ascii_uppercase();
        if let "IS NULL" | "IS NOT NULL" = operator.as_str() {
            return Ok(Self::Null { column, negated: operator == "IS NOT NULL" });
        }
        let known = Comparison::ALL.iter().find(|(_, sql)| *sql == operator);
        let (comparison, _) = known.ok_or_else(|| {
            wrong("operator", "Known are =, <>, <, <=, >, >=, like, not like, in, not in, is null and is not null.")
        })?;
        let values = match json.get("value") {
            Some(Json::Array(values)) => values.clone(),
            Some(value) => vec![value.clone()],
            None => return Err(wrong("value", "Give what the column is compared with.")),
        };
        let keep_nulls = match text("nulls") {
            None | Some("drop") => false,
            Some("keep") => true,
            Some(_) => return Err(wrong("nulls", "Give keep or drop.")),
        };
        Ok(Self::Compare { column, comparison: *comparison, values, keep_nulls })
    }

    /// What [`from_json`](Self::from_json) reads.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Null { column, negated } => {
                json!({"column": column, "operator": if *negated { "is not null" } else { "is null" }})
            }
            Self::Compare { column, comparison, values, keep_nulls } => {
                let value = match (comparison, values.as_slice()) {
                    (Comparison::In | Comparison::NotIn, values) => json!(values),
                    (_, values) => values.first().cloned().unwrap_or_default(),
                };
                let nulls = if *keep_nulls { "keep" } else { "drop" };
                json!({"column": column, "operator": comparison.sql().to_lowercase(), "value": value, "nulls": nulls})
            }
            Self::Expression { sql, parameters } => json!({"expression": sql, "parameters": parameters}),
        }
    }

    /// The condition as SQL.
    pub(super) fn sql(&self, parameters: &mut Parameters) -> Result<String> {
        match self {
            Self::Null { column, negated } => {
                Ok(format!("{} IS {}NULL", path(column, "column")?, if *negated { "NOT " } else { "" }))
            }
            Self::Compare { column, comparison, values, keep_nulls } => {
                let quoted = path(column, "column")?;
                let values = values.iter().map(|value| parameters.value(value, column)).collect::<Result<Vec<_>>>()?;
                let right = match (comparison, values.as_slice()) {
                    (Comparison::In | Comparison::NotIn, [_, ..]) => format!("({})", values.join(", ")),
                    (Comparison::In | Comparison::NotIn, []) => return Err(wrong(column, "Give at least one value.")),
                    (_, [value]) => value.clone(),
                    _ => return Err(wrong(column, "Give one value, or the operator `in`.")),
                };
                let compared = format!("{quoted} {} {right}", comparison.sql());
                Ok(match keep_nulls {
                    true => format!("({quoted} IS NULL OR {compared})"),
                    false if comparison.is_negated() => format!("({quoted} IS NOT NULL AND {compared})"),
                    false => compared,
                })
            }
            Self::Expression { sql, parameters: given } => {
                given.iter().try_for_each(|(name, value)| parameters.named(name, value))?;
                Ok(format!("({sql})"))
            }
        }
    }
}

fn wrong(field: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{field}` of a condition is missing or wrong"))
        .at_field(field)
        .with_hint(hint)
}

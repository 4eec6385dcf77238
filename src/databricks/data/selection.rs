//! Rows of a source as examples: which rows, which fields, and how many.

use serde_json::{Map, Value as Json, json};

use super::condition::Condition;
use super::query::{Parameters, Query, literal, literal_of, path, quoted};
use crate::error::{Error, ErrorKind, Result};

/// Examples, as a query makes them of the rows of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    pub source: Source,
    /// All of them hold for a row that is taken.
    pub conditions: Vec<Condition>,
    /// The fields of an example, and the SQL expressions that they get their values from. Expressions are sent as they stand.
    pub fields: Vec<(String, String)>,
    /// The fields that a program is given; the others are what is wanted of it. All of them unless given.
    pub inputs: Option<Vec<String>>,
    pub sample: Option<Sample>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A table or view, `catalog.schema.table`; of a foreign catalog as well, so that a table in BigQuery, PostgreSQL or Snowflake is read
    /// where it is: <https://docs.databricks.com/query-federation/>.
    Table(String),
    /// Files in a volume or in cloud storage: a file, a folder or a pattern.
    Files {
        path: String,
        /// `json`, `csv`, `parquet`, `delta`, `text` ...
        format: String,
        /// Options of `read_files`: `header`, `multiLine`, `schema` ...
        options: Map<String, Json>,
    },
    /// The rows of another selection.
    Selection(Box<Selection>),
}

/// A part of the rows that is the same whenever and wherever it is taken: rows are drawn by a digest of their fields and the seed. Rows that
/// are alike are drawn together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub seed: i64,
    pub size: Size,
}

/// How large a sample is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    Rows(u64),
    /// Of all rows, above 0 and at most 1.
    Share(f64),
}

impl Selection {
    /// All rows of a source, with these fields.
    pub fn new(source: Source, fields: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        let fields = fields.into_iter().map(|(name, sql)| (name.to_owned(), sql.to_owned())).collect();
        Self { source, conditions: Vec::new(), fields, inputs: None, sample: None, limit: None }
    }

    /// The one query that gives the examples, a column a field.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the member that cannot be right.
    pub fn query(&self) -> Result<Query> {
        let mut parameters = Parameters::default();
        let text = self.sql(&mut parameters)?;
        Ok(parameters.query(text))
    }

    /// The fields that a program is given.
    pub fn input_names(&self) -> Vec<&str> {
        match &self.inputs {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => self.fields.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    pub(super) fn sql(&self, parameters: &mut Parameters) -> Result<String> {
        self.check()?;
        let fields = self.fields.iter().map(|(name, sql)| format!("{sql} AS {}", quoted(name)));
        let fields = fields.collect::<Vec<_>>().join(", ");
        let mut text = format!("SELECT {fields} FROM {}", self.source.sql(parameters)?);
        let conditions = self.conditions.iter().map(|condition| condition.sql(parameters));
        let conditions = conditions.collect::<Result<Vec<_>>>()?;
        if !conditions.is_empty() {
            text = format!("{text} WHERE {}", conditions.join(" AND "));
        }
        if let Some(sample) = self.sample {
            text = self.sampled(&text, sample, parameters);
        }
        match (self.limit, self.sample.map(|sample| sample.size)) {
            (Some(limit), Some(Size::Rows(rows))) => text += &format!(" LIMIT {}", limit.min(rows)),
            (Some(rows), _) | (None, Some(Size::Rows(rows))) => text += &format!(" LIMIT {rows}"),
            (None, _) => {}
        }
        Ok(text)
    }

    fn sampled(&self, text: &str, sample: Sample, parameters: &mut Parameters) -> String {
        let fields = self.fields.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ");
        let seed = parameters.text(&sample.seed.to_string());
        let digest = format!("md5(concat({seed}, to_json(struct({fields}))))");
        match sample.size {
            Size::Rows(_) => format!("SELECT {fields} FROM ({text}) ORDER BY {digest}"),
            Size::Share(share) => {
                // As many of the first 32 bits' values as the share says.
                let below = (share * 4_294_967_296.0).round() as u64;
                let below =
                    parameters.text(&if below > u64::from(u32::MAX) { "g".to_owned() } else { format!("{below:08x}") });
                format!("SELECT {fields} FROM ({text}) WHERE {digest} < {below}")
            }
        }
    }

    fn check(&self) -> Result<()> {
        if self.fields.is_empty() {
            return Err(wrong("fields", "there are none", "Name at least one field and its expression."));
        }
        for (i, (name, sql)) in self.fields.iter().enumerate() {
            let again = self.fields.iter().skip(i + 1).any(|(other, _)| other.to_lowercase() == name.to_lowercase());
            if again || name.is_empty() || sql.trim().is_empty() {
                let hint = "Each needs a name, apart from upper and lower case, and an expression.";
                return Err(wrong(name, "cannot be a field", hint));
            }
        }
        let unknown = |name: &&String| !self.fields.iter().any(|(field, _)| field == *name);
        if let Some(name) = self.inputs.iter().flatten().find(unknown) {
            return Err(wrong(name, "is an input and no field", "Name it among the fields as well."));
        }
        match self.sample.map(|sample| sample.size) {
            Some(Size::Share(share)) if !(share > 0.0 && share <= 1.0) => {
                Err(wrong("share", "is no share", "Give a number above 0 and at most 1."))
            }
            _ => Ok(()),
        }
    }

    /// Reads `{from, where?, fields, inputs?, sample?: {seed, rows | share}, limit?}`. `from` is the name of a table, `{files, format,
    /// options?}`, or a selection; a condition is read by [`Condition::from_json`].
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) at the member that is missing or wrong.
    pub fn from_json(json: &Json) -> Result<Self> {
        let fields = json.get("fields").and_then(Json::as_object);
        let fields = fields.ok_or_else(|| wrong("fields", "is missing", "Name the fields and their expressions."))?;
        let field = |(name, sql): (&String, &Json)| match sql {
            Json::String(sql) => Ok((name.clone(), sql.clone())),
            _ => Err(wrong(name, "has no expression", "Give the expression of SQL as a text.")),
        };
        let list = |name: &str| json.get(name).and_then(Json::as_array);
        let source = json.get("from").ok_or_else(|| wrong("from", "is missing", "Give the name of a table."))?;
        let inputs = list("inputs").map(|names| {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<Vec<_>>>().ok_or_else(|| wrong("inputs", "is no list of names", "Name fields."))
        });
        Ok(Self {
            source: Source::from_json(source)?,
            conditions: list("where").into_iter().flatten().map(Condition::from_json).collect::<Result<_>>()?,
            fields: fields.iter().map(field).collect::<Result<_>>()?,
            inputs: inputs.transpose()?,
            sample: given(json, "sample").map(Sample::from_json).transpose()?,
            limit: given(json, "limit").map(|limit| count(limit, "limit")).transpose()?,
        })
    }

    /// What [`from_json`](Self::from_json) reads.
    pub fn to_json(&self) -> Json {
        let fields: Map<_, _> = self.fields.iter().map(|(name, sql)| (name.clone(), json!(sql))).collect();
        let sample = self.sample.map(|Sample { seed, size }| match size {
            Size::Rows(rows) => json!({"seed": seed, "rows": rows}),
            Size::Share(share) => json!({"seed": seed, "share": share}),
        });
        let conditions: Vec<Json> = self.conditions.iter().map(Condition::to_json).collect();
        let members = [
            ("from", Some(self.source.to_json())),
            ("where", (!conditions.is_empty()).then(|| conditions.into())),
            ("fields", Some(fields.into())),
            ("inputs", self.inputs.as_ref().map(|names| json!(names))),
            ("sample", sample),
            ("limit", self.limit.map(Json::from)),
        ];
        Json::Object(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    /// The examples of this selection where they were written to, a column a field.
    pub fn stored(&self, source: Source) -> Self {
        let fields = self.fields.iter().map(|(name, _)| (name.clone(), quoted(name)));
        Self {
            source,
            conditions: Vec::new(),
            fields: fields.collect(),
            inputs: self.inputs.clone(),
            sample: None,
            limit: None,
        }
    }
}

impl Source {
    fn sql(&self, parameters: &mut Parameters) -> Result<String> {
        match self {
            Self::Table(name) => path(name, "from"),
            Self::Files { path, format, options } => files(path, format, options),
            Self::Selection(selection) => Ok(format!("({})", selection.sql(parameters)?)),
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Table(name) => json!(name),
            Self::Files { path, format, options } => json!({"files": path, "format": format, "options": options}),
            Self::Selection(selection) => selection.to_json(),
        }
    }

    /// Reads the `from` of a selection.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) when it is none.
    pub fn from_json(json: &Json) -> Result<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        match (json, text("files"), text("format")) {
            (Json::String(table), ..) => Ok(Self::Table(table.clone())),
            (_, Some(path), Some(format)) => {
                let options = json.get("options").and_then(Json::as_object).cloned().unwrap_or_default();
                Ok(Self::Files { path, format, options })
            }
            (_, Some(_), None) => {
                Err(wrong("format", "is missing", "Say how the files are to be read: json, csv, parquet ..."))
            }
            _ => Selection::from_json(json).map(|selection| Self::Selection(Box::new(selection))),
        }
    }
}

/// Files as a relation: by their format alone, which every Spark reads, or by the table-valued function that takes options.
fn files(path: &str, format: &str, options: &Map<String, Json>) -> Result<String> {
    let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word(format) {
        return Err(wrong("format", "is no format", "Give json, csv, parquet, delta, text ..."));
    }
    if options.is_empty() {
        return Ok(format!("{format}.{}", quoted(path)));
    }
    let mut text = format!("read_files({}, format => {}", literal(path), literal(format));
    for (name, value) in options {
        let value = literal_of(value).filter(|_| is_word(name));
        let value =
            value.ok_or_else(|| wrong(name, "is no option", "Give a name and a text, a number or a boolean."))?;
        text += &format!(", {name} => {value}");
    }
    Ok(text + ")")
}

impl Sample {
    fn from_json(json: &Json) -> Result<Self> {
        let seed = json.get("seed").and_then(Json::as_i64);
        let size = match given(json, "rows") {
            Some(rows) => Some(Size::Rows(count(rows, "rows")?)),
            None => json.get("share").and_then(Json::as_f64).map(Size::Share),
        };
        match (seed, size) {
            (Some(seed), Some(size)) => Ok(Self { seed, size }),
            _ => Err(wrong("sample", "is none", "Give a `seed`, a whole number, and `rows` or a `share`.")),
        }
    }
}

fn given<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    json.get(name).filter(|value| !value.is_null())
}

fn count(value: &Json, name: &str) -> Result<u64> {
    value.as_u64().ok_or_else(|| wrong(name, "is no number of rows", "Give a whole number, 0 or more."))
}

pub(super) fn wrong(field: &str, what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{field}` {what}")).at_field(field).with_hint(hint)
}

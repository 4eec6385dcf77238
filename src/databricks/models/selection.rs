//! Which model for a task: a table of rules that is data, and says why.

use std::fmt;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// What a task needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs {
    /// How hard the task is, from 0 to 1.
    pub task_complexity: f64,
    /// How long an answer may take, in milliseconds; `None` for as long as it likes.
    pub latency_budget_ms: Option<f64>,
    /// What 1000 tokens may cost at most, in USD; `None` for whatever they cost.
    pub max_cost_per_1k: Option<f64>,
}

/// A model that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The name of its endpoint.
    pub model: String,
    pub latency_ms: Option<f64>,
    pub usd_per_1k: Option<f64>,
}

/// Chooses a candidate when all of its conditions hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    pub latency_budget_below_ms: Option<f64>,
    pub latency_budget_from_ms: Option<f64>,
    pub max_cost_per_1k_below: Option<f64>,
    pub max_cost_per_1k_from: Option<f64>,
    pub task_complexity_above: Option<f64>,
    /// The key of a candidate.
    pub choose: String,
}

/// Rules, of which the first that holds decides, and the models that they choose from.
///
/// ```
/// use lakelet::databricks::models::{Needs, SelectionTable};
/// # fn main() -> lakelet::Result<()> {
/// let needs = Needs { task_complexity: 0.9, latency_budget_ms: Some(1000.0), max_cost_per_1k: Some(0.01) };
/// let chosen = SelectionTable::study().select(&needs, |_| true)?;
/// assert_eq!((chosen.choice.as_str(), chosen.candidate.model.as_str()), ("high_complexity", "databricks-llama-4-maverick"));
/// println!("{chosen}");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectionTable {
    pub rules: Vec<Rule>,
    pub models: IndexMap<String, Candidate>,
}

/// What was chosen, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The key of the candidate in the table.
    pub choice: String,
    pub candidate: Candidate,
    /// A reason for each rule that was looked at; the last one decided.
    pub reasons: Vec<Reason>,
}

/// Why a rule did not decide, or did.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    pub choose: String,
    pub decides: bool,
    pub because: String,
}

impl SelectionTable {
    /// The thresholds and their order of the study of Databricks' DSPy integration, with models of today in the place of its own. The
    /// latencies and prices are the study's: nobody has measured them.
    pub fn study() -> Self {
        json::read(include_str!("selection.json")).ok().and_then(|json| Self::read(&json).ok()).unwrap_or_default()
    }

    /// Reads a table: `{rules: [{latency_budget_below_ms?, ..., choose}], models: {key: {model, latency_ms?, usd_per_1k?}}}`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) when it is none, or a rule chooses a model that is not in it.
    pub fn read(json: &Json) -> Result<Self> {
        let members = |name: &str| json.get(name).ok_or_else(|| wrong(name, "is missing"));
        let models = members("models")?.as_object().ok_or_else(|| wrong("models", "must be an object"))?;
        let models: IndexMap<_, _> =
            models.iter().map(|(key, model)| Ok((key.clone(), Candidate::read(model)?))).collect::<Result<_>>()?;
        let rules = members("rules")?.as_array().ok_or_else(|| wrong("rules", "must be a list"))?;
        let rules = rules.iter().map(Rule::read).collect::<Result<Vec<_>>>()?;
        match rules.iter().find(|rule| !models.contains_key(&rule.choose)) {
            Some(rule) => Err(wrong("choose", &format!("names `{}`, which is not among the models", rule.choose))),
            None => Ok(Self { rules, models }),
        }
    }

    /// The table as JSON, as [`read`](Self::read) takes it.
    pub fn to_json(&self) -> Json {
        let models = self.models.iter().map(|(key, candidate)| (key.clone(), candidate.to_json()));
        json!({"rules": self.rules.iter().map(Rule::to_json).collect::<Vec<_>>(), "models": models.collect::<Map<_, _>>()})
    }

    /// Chooses a model: the first rule decides whose conditions hold, and whose model `is_served`.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input) for needs that are no numbers of their kind; [`NotFound`](ErrorKind::NotFound) when no rule decides.
    pub fn select(&self, needs: &Needs, is_served: impl Fn(&str) -> bool) -> Result<Selection> {
        needs.check()?;
        let mut reasons = Vec::new();
        for rule in &self.rules {
            let Some(candidate) = self.models.get(&rule.choose) else { continue };
            let (holds, because) = match rule.holds(needs) {
                (true, because) if !is_served(&candidate.model) => {
                    (false, format!("{because}, but `{}` is not served here", candidate.model))
                }
                judged => judged,
            };
            reasons.push(Reason { choose: rule.choose.clone(), decides: holds, because });
            if holds {
                return Ok(Selection { choice: rule.choose.clone(), candidate: candidate.clone(), reasons });
            }
        }
        let tried = reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("\n");
        Err(Error::new(ErrorKind::NotFound, format!("no rule of the table chooses a model:\n{tried}"))
            .with_hint("Give the table a last rule without conditions, whose model is served."))
    }
}

impl Needs {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.task_complexity) {
            return Err(wrong("task_complexity", "must be a number from 0 to 1"));
        }
        for (name, limit) in [("latency_budget", self.latency_budget_ms), ("max_cost_per_1k", self.max_cost_per_1k)] {
            if limit.is_some_and(|limit| limit.is_nan() || limit < 0.0) {
                return Err(wrong(name, "must be a number, 0 or more"));
            }
        }
        Ok(())
    }
}

impl Rule {
    /// The conditions by their names: below or above what, and from what on.
    fn conditions(&self) -> [(&'static str, Option<f64>); 5] {
        [
            ("latency_budget_below_ms", self.latency_budget_below_ms),
            ("latency_budget_from_ms", self.latency_budget_from_ms),
            ("max_cost_per_1k_below", self.max_cost_per_1k_below),
            ("max_cost_per_1k_from", self.max_cost_per_1k_from),
            ("task_complexity_above", self.task_complexity_above),
        ]
    }

    /// Whether all conditions hold, and why or why not.
    fn holds(&self, needs: &Needs) -> (bool, String) {
        let mut because = Vec::new();
        for (name, bound) in self.conditions() {
            let Some(bound) = bound else { continue };
            let (what, unit, given) = match name {
                "task_complexity_above" => ("the complexity of", "", needs.task_complexity),
                "latency_budget_below_ms" | "latency_budget_from_ms" => {
                    ("the latency budget of", " ms", needs.latency_budget_ms.unwrap_or(f64::INFINITY))
                }
                _ => ("the limit of", " USD per 1K tokens", needs.max_cost_per_1k.unwrap_or(f64::INFINITY)),
            };
            let (holds, how) = match name {
                "task_complexity_above" => (given > bound, "above"),
                "latency_budget_below_ms" | "max_cost_per_1k_below" => (given < bound, "below"),
                _ => (given >= bound, "at least"),
            };
            if !holds {
                return (false, format!("{what} {given}{unit} is not {how} {bound}"));
            }
            because.push(format!("{what} {given}{unit} is {how} {bound}"));
        }
        match because.is_empty() {
            true => (true, "nothing else was chosen".to_owned()),
            false => (true, because.join(", and ")),
        }
    }

    fn read(json: &Json) -> Result<Self> {
        let number = |name: &str| match json.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(number) => number.as_f64().map(Some).ok_or_else(|| wrong(name, "must be a number")),
        };
        let choose = json.get("choose").and_then(Json::as_str).ok_or_else(|| wrong("choose", "must be a text"))?;
        Ok(Self {
            latency_budget_below_ms: number("latency_budget_below_ms")?,
            latency_budget_from_ms: number("latency_budget_from_ms")?,
            max_cost_per_1k_below: number("max_cost_per_1k_below")?,
            max_cost_per_1k_from: number("max_cost_per_1k_from")?,
            task_complexity_above: number("task_complexity_above")?,
            choose: choose.to_owned(),
        })
    }

    fn to_json(&self) -> Json {
        let conditions =
            self.conditions().into_iter().filter_map(|(name, bound)| Some((name.to_owned(), bound?.into())));
        Json::Object(conditions.chain([("choose".to_owned(), self.choose.clone().into())]).collect())
    }
}

impl Candidate {
    fn read(json: &Json) -> Result<Self> {
        let model = json.get("model").and_then(Json::as_str).ok_or_else(|| wrong("model", "must be a text"))?;
        let number = |name: &str| json.get(name).and_then(Json::as_f64);
        Ok(Self { model: model.to_owned(), latency_ms: number("latency_ms"), usd_per_1k: number("usd_per_1k") })
    }

    fn to_json(&self) -> Json {
        json!({"model": self.model, "latency_ms": self.latency_ms, "usd_per_1k": self.usd_per_1k})
    }
}

impl Selection {
    /// `{choice, model, latency_ms, usd_per_1k, reasons, text}`.
    pub fn to_json(&self) -> Json {
        let reason = |of: &Reason| json!({"choose": of.choose, "decides": of.decides, "because": of.because});
        let mut json = self.candidate.to_json();
        if let Json::Object(members) = &mut json {
            members.insert("choice".to_owned(), self.choice.clone().into());
            members.insert("reasons".to_owned(), self.reasons.iter().map(reason).collect());
            members.insert("text".to_owned(), self.to_string().into());
        }
        json
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.decides { "chosen" } else { "not chosen" };
        write!(f, "{}: {verb}, because {}.", self.choose, self.because)
    }
}

/// The reasons, one a line, for a person.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for the task.", self.candidate.model)?;
        self.reasons.iter().try_for_each(|reason| write!(f, "\n{reason}"))
    }
}

fn wrong(field: &str, what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("`{field}` {what}")).at_field(field)
}

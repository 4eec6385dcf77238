//! `sources`: which sentences of which passages an answer rests on, found by comparing words.

use super::only;
use crate::error::Result;
use crate::module::NOT_FOUND;
use crate::pipeline::passages;
use crate::pipeline::reader::Reader;
use crate::pipeline::step::{Action, Draft, Want, WantKind, passages_type};
use crate::python::lower;
use crate::signature::Type;
use crate::text::sentences;
use crate::value::{Map, Value};

/// `{"do": "sources", "answer": ..., "quote": ..., "passages": ..., "min_score": 0.6}` gives `sources` and `found`.
///
/// With a quote, the quote is looked for; without one, each sentence of the answer, in which words of the `question` count
/// little, for they are there whatever the answer is. A source is a dict: `number` (from 1),
/// the passage's own fields, `start` and `end` of the sentence in its `text` (in UTF-16 units, as JavaScript counts), and
/// `match`, the share of the words that the sentence holds.
pub(in crate::pipeline) struct Sources {
    min_score: f64,
}

/// Words that are in every text.
const COMMON: [&str; 40] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "does", "for", "from", "has", "have", "if",
    "in", "is", "it", "its", "may", "must", "not", "of", "on", "or", "that", "the", "their", "they", "this", "to",
    "was", "were", "which", "will", "with", "you", "your",
];

/// A sentence of a passage.
struct Place {
    passage: usize,
    start: usize,
    end: usize,
    words: Vec<String>,
}

impl Sources {
    pub fn read(step: &Reader) -> Result<Draft> {
        only(step, &["answer", "quote", "question", "passages", "min_score"])?;
        let mut wants = vec![
            Want::new("answer", step.need_text("answer")?, WantKind::Of(Type::Str)),
            Want::new("passages", step.need_text("passages")?, WantKind::Passages),
        ];
        for name in ["quote", "question"] {
            if let Some(from) = step.text(name)? {
                wants.push(Want::new(name, from, WantKind::Of(Type::Str)));
            }
        }
        let min_score = step.number("min_score")?.unwrap_or(0.6);
        let gives = vec![("sources".to_owned(), passages_type()), ("found".to_owned(), Type::Bool)];
        Ok(Draft { action: Action::Sources(Self { min_score }), wants, gives })
    }

    pub fn apply(&self, given: &Map) -> Map {
        let text = |name| given.get(name).and_then(Value::as_str);
        let passages = match given.get("passages") {
            Some(Value::List(passages)) => passages.as_slice(),
            _ => &[],
        };
        let places = places(passages);
        let said = text("quote").or_else(|| text("answer")).unwrap_or_default();
        let asked = words(text("question").unwrap_or_default());
        let units = if said.trim() == NOT_FOUND { Vec::new() } else { sentences(said) };
        let mut chosen: Vec<(&Place, f64)> = Vec::new();
        for unit in units.iter().filter_map(|(start, end)| said.get(*start..*end)) {
            let words = words(unit);
            let best = places.iter().map(|place| (place, share(&words, &place.words, &asked)));
            let best = best.reduce(|best, next| if next.1 > best.1 { next } else { best });
            if let Some((place, score)) = best.filter(|(_, score)| *score >= self.min_score)
                && !chosen.iter().any(|(other, _)| other.passage == place.passage && other.start == place.start)
            {
                chosen.push((place, score));
            }
        }
        let sources = chosen.iter().enumerate().filter_map(|(i, (place, score))| {
            let Some(Value::Dict(passage)) = passages.get(place.passage) else { return None };
            Some(Value::Dict(source(i, place, *score, passage)))
        });
        Map::from([
            ("sources".to_owned(), Value::List(sources.collect())),
            ("found".to_owned(), (!chosen.is_empty()).into()),
        ])
    }
}

fn source(index: usize, place: &Place, score: f64, passage: &Map) -> Map {
    let text = passage.get("text").and_then(Value::as_str).unwrap_or_default();
    let units = |until: usize| {
        let count = text.get(..until).map_or(0, |before| before.encode_utf16().count());
        Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
    };
    let mut source = Map::from([("number".to_owned(), Value::Int(i64::try_from(index + 1).unwrap_or(i64::MAX)))]);
    source.extend(passage.iter().map(|(name, value)| (name.clone(), value.clone())));
    source.insert("start".to_owned(), units(place.start));
    source.insert("end".to_owned(), units(place.end));
    source.insert("match".to_owned(), score.into());
    source
}

/// Every sentence of every passage, without the white space around it.
fn places(found: &[Value]) -> Vec<Place> {
    let mut places = Vec::new();
    for (passage, value) in found.iter().enumerate() {
        let text = passages::text(value, "text");
        for (start, end) in sentences(text) {
            let sentence = text.get(start..end).unwrap_or_default();
            let start = start + sentence.len() - sentence.trim_start().len();
            places.push(Place { passage, start, end: start + sentence.trim().len(), words: words(sentence) });
        }
    }
    places
}

/// The words that tell sentences apart, in lower case.
fn words(text: &str) -> Vec<String> {
    let parts =
        text.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == ',')).map(|word| word.trim_matches(['.', ',']));
    let words = parts.filter(|word| !word.is_empty()).map(lower);
    words.filter(|word| !COMMON.contains(&word.as_str())).collect()
}

/// The share of the words that are among others. Numbers count three times, because they are what answers turn on, but not
/// those that count something else there: `6 weeks` is not in `6 years`. Words that were asked count a third.
fn share(words: &[String], others: &[String], asked: &[String]) -> f64 {
    let (mut all, mut shared) = (0.0, 0.0);
    for (i, word) in words.iter().enumerate() {
        let weight = match word {
            word if asked.contains(word) => 1.0 / 3.0,
            word if is_number(word) => 3.0,
            _ => 1.0,
        };
        all += weight;
        let unit = words.get(i + 1);
        let fits =
            |(at, other): (usize, &String)| other == word && (!is_number(word) || agree(unit, others.get(at + 1)));
        if others.iter().enumerate().any(fits) {
            shared += weight;
        }
    }
    if all > 0.0 { shared / all } else { 0.0 }
}

fn is_number(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

/// Whether two numbers can count the same, by the words behind them; a cell of a table has none.
fn agree(unit: Option<&String>, other: Option<&String>) -> bool {
    match (unit, other) {
        (Some(unit), Some(other)) => unit == other || is_number(other) || is_number(unit),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_with_what_it_counts() {
        let answer = words("You can take off 6 weeks on full salary as the partner.");
        let sabbatical = words("After 6 years you may take 8 weeks, of which 5 are paid at full base salary.");
        let partner = words("Partner: 6 weeks at full pay, taken within 12 months.");
        assert!(share(&answer, &partner, &[]) > share(&answer, &sabbatical, &[]));
        assert_eq!(share(&words("66 EUR"), &words("| Singapore | 66 | 155 |"), &[]), 0.75);
        assert_eq!(share(&[], &partner, &[]), 0.0);
    }

    #[test]
    fn words_of_the_question_say_little() {
        let (asked, answer) =
            (words("What is the daily allowance in Singapore?"), words("The daily allowance in Singapore is 66"));
        let (row, other) = (words("| Singapore | 66 | 155 |"), words("The daily allowance in Singapore covers meals."));
        assert!(share(&answer, &row, &asked) > share(&answer, &other, &asked));
        assert!(share(&answer, &other, &asked) < 0.35);
    }
}

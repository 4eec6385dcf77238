//! Python's random numbers.

use lakelet::python::Random;
use lakelet::{Error, ErrorKind, Result};
use serde_json::{Value as Json, json};

use super::Outcome;
use super::compare::check;

/// Draws in order from one generator; samples and shuffles are of `range(n)`.
pub fn mersenne(input: &Json, expected: &Json) -> Outcome {
    let mut random = match input["seed"].as_str() {
        Some(text) => Random::from_text(text),
        None => Random::new(input["seed"].as_i64().unwrap_or_default().into()),
    };
    let draws = input["ops"].as_array().into_iter().flatten().map(|op| draw(&mut random, op));
    check(expected, draws.collect::<Result<Vec<_>>>().map(Json::Array))
}

fn draw(random: &mut Random, op: &Json) -> Result<Json> {
    let number = |place: usize| op[place].as_i64().unwrap_or_default();
    let range = || (0..number(1) as usize).collect::<Vec<_>>();
    Ok(match op[0].as_str().unwrap_or_default() {
        "random" => json!(random.random()),
        "getrandbits" => json!(random.getrandbits(number(1) as u32)),
        "randrange" => json!(random.randrange(number(1) as u64)),
        "randint" => json!(random.randint(number(1), number(2))),
        "choice" => json!(random.choice(&range())),
        "choices" => {
            let weights = op[1].as_array().into_iter().flatten().filter_map(Json::as_f64);
            json!(random.choices(&weights.collect::<Vec<_>>(), number(2) as usize)?)
        }
        "sample" => json!(random.sample(number(1) as usize, number(2) as usize)?),
        "shuffle" => {
            let mut items = range();
            random.shuffle(&mut items);
            json!(items)
        }
        other => return Err(Error::new(ErrorKind::Unsupported, format!("not built: {other}"))),
    })
}

//! One field of a streamed reply, chunk by chunk.

use lakelet::adapter::{Chunk, StreamListener};
use lakelet::lm::Delta;
use serde_json::{Value as Json, json};

use super::compare::check;
use super::{Outcome, cases};

pub fn listen(input: &Json, expected: &Json) -> Outcome {
    let adapter = cases::adapter(&input["adapter"])?;
    let run = || {
        let signature = cases::signature(&input["signature"], &cases::types(&input["typedefs"])?)?;
        let field = input["field"].as_str().unwrap_or_default();
        let mut listener = StreamListener::new(&*adapter, &signature, field)?;
        if input["allow_reuse"] == true {
            listener = listener.reusable();
        }
        let pieces = input["chunks"].as_array().into_iter().flatten();
        let emitted: Vec<_> = pieces.map(|piece| listener.receive(&delta(piece))).collect();
        let last = listener.finish();
        let text: String = emitted.iter().chain([&last]).flatten().map(|chunk| chunk.text.as_str()).collect();
        let emitted: Vec<_> = emitted.iter().map(|chunk| told(chunk.as_ref())).collect();
        Ok(json!({"emitted": emitted, "final": told(last.as_ref()), "cache_hit": listener.cache_hit(), "text": text}))
    };
    check(expected, run())
}

fn delta(piece: &Json) -> Delta {
    let text = piece.as_str().or(piece["content"].as_str()).unwrap_or_default().to_owned();
    let reasoning = piece["reasoning_content"].as_str().unwrap_or_default().to_owned();
    Delta { text, reasoning, ..Delta::default() }
}

fn told(chunk: Option<&Chunk>) -> Json {
    chunk.map_or(Json::Null, |chunk| json!({"chunk": chunk.text, "is_last_chunk": chunk.is_last}))
}

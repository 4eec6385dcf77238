//! A stream of events gives the same events however it is cut.

use lakelet::http::sse::Decoder;

use super::input::Input;

pub fn check(bytes: &[u8]) {
    let mut input = Input(bytes);
    let longest = 1 + input.below(16);
    let stream = input.0;
    let whole = events([stream].into_iter());
    assert_eq!(events(stream.chunks(1)), whole);
    assert_eq!(events(stream.chunks(longest)), whole);
}

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece).expect("a short stream");
        events.extend(std::iter::from_fn(|| decoder.next()));
    }
    events.extend(decoder.finish());
    events
}

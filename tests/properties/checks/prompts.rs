//! Any text can stand in a prompt: nothing of it is lost, and once it is made harmless nothing in it is structure.

use lakelet::adapter::{Adapter, ChatAdapter, defang, media};
use lakelet::lm::Content;
use lakelet::python::strip;
use lakelet::{Example, Signature};

use super::input::Input;
use super::replies::adapters;

pub fn check(bytes: &[u8]) {
    let mut input = Input(bytes);
    let adapters = adapters();
    let adapter = &*adapters[input.below(adapters.len())];
    let signature = Signature::parse("question -> answer").expect("a signature");
    let text = input.text();
    let turns = |text: &str| {
        let inputs = Example::new().with("question", text);
        let mut turns = adapter.turns(&signature, &inputs).expect("a text can be shown");
        assert_eq!(turns.len(), 1);
        turns.remove(0).content
    };
    match turns(&text) {
        Content::Text(prompt) => assert!(prompt.contains(strip(&text)), "{text:?}"),
        Content::Parts(_) => assert!(text.contains(media::START), "{text:?}"),
        Content::Null => panic!("{text:?}"),
    }
    let harmless = defang::text(&text);
    assert_eq!(defang::text(&harmless), harmless, "{text:?}");
    assert!(matches!(turns(&harmless), Content::Text(_)), "{text:?}");
    assert!(ChatAdapter::default().parse(&signature, &harmless).is_err(), "{text:?}");
}

//! Any text is a signature or tells why not, and a signature can be shown, asked for, saved and loaded.

use lakelet::signature::Field;
use lakelet::{ErrorKind, Signature};

use super::input::Input;

pub fn check(bytes: &[u8]) {
    let text = Input(bytes).text();
    let signature = match Signature::parse(&text) {
        Ok(signature) => signature,
        Err(error) => {
            assert!(error.python_class().is_some() || error.kind() == ErrorKind::Unsupported, "{text:?} {error}");
            return;
        }
    };
    _ = signature.describe(signature.fields.iter());
    _ = signature.fields.iter().map(Field::placeholder).count();
    _ = signature.response_schema(true);
    let names = Signature::parse(&signature.to_text()).expect("names are signatures");
    assert!(
        names.fields.iter().map(|field| &field.name).eq(signature.fields.iter().map(|field| &field.name)),
        "{text:?}"
    );
    assert_eq!(signature.load_state(&signature.dump_state()).expect("its own state"), signature, "{text:?}");
}

//! What Unicode's large tables say. In a page the host's serve: our own would weigh more than the rest of the parser.

pub(super) use tables::{is_identifier, lower, nfkc, upper};

#[cfg(all(feature = "web", target_arch = "wasm32"))]
mod tables {
    use js_sys::{JsString, RegExp};

    pub fn is_identifier(name: &str) -> bool {
        RegExp::new(r"^[\p{XIDS}_]\p{XIDC}*$", "u").test(name)
    }

    pub fn nfkc(text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }

    pub fn lower(text: &str) -> String {
        JsString::from(text).to_lower_case().into()
    }

    pub fn upper(text: &str) -> String {
        JsString::from(text).to_upper_case().into()
    }
}

#[cfg(not(all(feature = "web", target_arch = "wasm32")))]
mod tables {
    use unicode_normalization::UnicodeNormalization;

    pub fn is_identifier(name: &str) -> bool {
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
        starts && chars.all(unicode_ident::is_xid_continue)
    }

    pub fn nfkc(text: &str) -> String {
        text.nfkc().collect()
    }

    pub fn lower(text: &str) -> String {
        text.to_lowercase()
    }

    pub fn upper(text: &str) -> String {
        text.to_uppercase()
    }
}

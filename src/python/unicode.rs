//! What Unicode's large tables say. In a page the host's serve: our own would weigh more than the rest of the parser.

pub(super) use tables::{is_identifier, is_word, lower, nfd, nfkc, tokens, upper};

#[cfg(all(feature = "web", target_arch = "wasm32"))]
mod tables {
    use js_sys::{Array, JsString, RegExp};

    pub fn is_identifier(name: &str) -> bool {
        RegExp::new(r"^[\p{XIDS}_]\p{XIDC}*$", "u").test(name)
    }

    pub fn nfkc(text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }

    pub fn nfd(text: &str) -> String {
        JsString::from(text).normalize("NFD").into()
    }

    pub fn is_word(c: char) -> bool {
        RegExp::new(r"[\p{L}\p{N}]", "u").test(c.encode_utf8(&mut [0; 4]))
    }

    pub fn tokens(text: &str) -> Vec<String> {
        let found = JsString::from(text).match_(&RegExp::new(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]", "gu"));
        let found = found.map(|found| Array::from(&found)).unwrap_or_default();
        found.iter().filter_map(|token| token.as_string()).collect()
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
    use unicode_properties::{GeneralCategoryGroup as Group, UnicodeGeneralCategory};

    pub fn is_identifier(name: &str) -> bool {
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
        starts && chars.all(unicode_ident::is_xid_continue)
    }

    pub fn nfkc(text: &str) -> String {
        text.nfkc().collect()
    }

    pub fn nfd(text: &str) -> String {
        text.nfd().collect()
    }

    pub fn is_word(c: char) -> bool {
        matches!(c.general_category_group(), Group::Letter | Group::Number)
    }

    pub fn tokens(text: &str) -> Vec<String> {
        let mut tokens: Vec<String> = Vec::new();
        let mut in_word = false;
        for c in text.chars() {
            let group = c.general_category_group();
            let of_word = matches!(group, Group::Letter | Group::Number | Group::Mark);
            match tokens.last_mut() {
                Some(word) if in_word && of_word => word.push(c),
                _ if matches!(group, Group::Separator | Group::Other) => {}
                _ => tokens.push(c.into()),
            }
            in_word = of_word;
        }
        tokens
    }

    pub fn lower(text: &str) -> String {
        text.to_lowercase()
    }

    pub fn upper(text: &str) -> String {
        text.to_uppercase()
    }
}

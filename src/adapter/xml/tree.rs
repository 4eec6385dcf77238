//! The elements of a reply.

use indexmap::IndexMap;

/// An element, as Python's `ElementTree` has it.
#[derive(Default)]
pub(super) struct Element {
    /// `{namespace}name` where there is a namespace.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text before the first child.
    pub text: String,
    /// The text between its end and the next element.
    pub tail: String,
    /// The places of its children.
    pub children: Vec<usize>,
}

/// Elements by their place; the first one stands for the whole reply.
pub(super) struct Tree {
    pub elements: Vec<Element>,
}

/// Elements by their names, in the order in which the names first come.
pub(super) type Groups<'a> = IndexMap<&'a str, Vec<&'a Element>>;

impl Default for Tree {
    fn default() -> Self {
        Self { elements: vec![Element::default()] }
    }
}

impl Tree {
    pub fn children<'a>(&'a self, element: &'a Element) -> impl Iterator<Item = &'a Element> {
        element.children.iter().filter_map(|child| self.elements.get(*child))
    }

    /// The fields that the reply consists of.
    pub fn fields(&self) -> Groups<'_> {
        self.elements.first().map(|reply| self.groups(reply)).unwrap_or_default()
    }

    /// The children of an element by name: `<entry key="a b">` has the name `a b`.
    pub fn groups<'a>(&'a self, element: &'a Element) -> Groups<'a> {
        let mut groups = Groups::new();
        for child in self.children(element) {
            let key = child.attributes.iter().find(|(name, _)| child.name == "entry" && name == "key");
            groups.entry(key.map_or(child.name.as_str(), |(_, key)| key.as_str())).or_default().push(child);
        }
        groups
    }

    /// What stands in an element, as XML again: its first text as it is, what follows with its escapes.
    pub fn inner_xml(&self, element: &Element) -> String {
        let mut out = element.text.clone();
        for child in self.children(element) {
            let prefixes = self.prefixes(child);
            self.write_element(&mut out, child, &prefixes, true);
        }
        out
    }

    /// The namespaces in an element and their prefixes, in the order in which they come.
    fn prefixes<'a>(&'a self, element: &'a Element) -> Vec<(&'a str, String)> {
        let mut prefixes: Vec<(&str, String)> = Vec::new();
        let mut waiting = vec![element];
        while let Some(element) = waiting.pop() {
            let names = element.attributes.iter().map(|(name, _)| name);
            for (uri, _) in std::iter::once(&element.name).chain(names).filter_map(|name| split(name)) {
                if uri != XML && !prefixes.iter().any(|(known, _)| *known == uri) {
                    let known = KNOWN.iter().find(|(known, _)| *known == uri);
                    let prefix =
                        known.map_or_else(|| format!("ns{}", prefixes.len()), |(_, prefix)| prefix.to_string());
                    prefixes.push((uri, prefix));
                }
            }
            waiting.extend(element.children.iter().rev().filter_map(|child| self.elements.get(*child)));
        }
        prefixes
    }

    fn write_element(&self, out: &mut String, element: &Element, prefixes: &[(&str, String)], is_first: bool) {
        out.push('<');
        write_name(out, &element.name, prefixes);
        if is_first {
            let mut declared: Vec<&(&str, String)> = prefixes.iter().collect();
            crate::sort::sort_by(&mut declared, |a, b| a.1.cmp(&b.1));
            for (uri, prefix) in declared {
                out.push_str(" xmlns:");
                out.push_str(prefix);
                write_attribute_value(out, uri);
            }
        }
        for (name, value) in &element.attributes {
            out.push(' ');
            write_name(out, name, prefixes);
            write_attribute_value(out, value);
        }
        if element.text.is_empty() && element.children.is_empty() {
            out.push_str(" />");
        } else {
            out.push('>');
            write_escaped(out, &element.text, &[]);
            self.children(element).for_each(|child| self.write_element(out, child, prefixes, false));
            out.push_str("</");
            write_name(out, &element.name, prefixes);
            out.push('>');
        }
        write_escaped(out, &element.tail, &[]);
    }
}

/// The namespace that needs no declaration.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespaces for which Python has a prefix.
const KNOWN: [(&str, &str); 6] = [
    ("http://www.w3.org/1999/xhtml", "html"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
    ("http://schemas.xmlsoap.org/wsdl/", "wsdl"),
    ("http://www.w3.org/2001/XMLSchema", "xs"),
    ("http://www.w3.org/2001/XMLSchema-instance", "xsi"),
    ("http://purl.org/dc/elements/1.1/", "dc"),
];

/// The namespace of a name, and the name in it.
fn split(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix('{')?.rsplit_once('}')
}

fn write_name(out: &mut String, name: &str, prefixes: &[(&str, String)]) {
    let Some((uri, local)) = split(name) else { return out.push_str(name) };
    let prefix = prefixes.iter().find(|(known, _)| *known == uri).map_or("xml", |(_, prefix)| prefix);
    out.push_str(prefix);
    out.push(':');
    out.push_str(local);
}

fn write_attribute_value(out: &mut String, value: &str) {
    out.push_str("=\"");
    write_escaped(out, value, &[('"', "&quot;"), ('\r', "&#13;"), ('\n', "&#10;"), ('\t', "&#09;")]);
    out.push('"');
}

/// Adds text with what is markup escaped, and other characters as told.
fn write_escaped(out: &mut String, text: &str, others: &[(char, &str)]) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => match others.iter().find(|(other, _)| *other == c) {
                Some((_, escape)) => out.push_str(escape),
                None => out.push(c),
            },
        }
    }
}

//! Python's text functions against what CPython 3.11 answers.

use lakelet::python::*;
use lakelet::value::{Map, ScalarKind, Value};

#[test]
fn repr_of_texts() {
    let cases = [
        ("", "''"),
        ("a'b", "\"a'b\""),
        ("a\"b", "'a\"b'"),
        ("a'\"b", "'a\\'\"b'"),
        ("\\\n\u{d}\u{9}\u{0}\u{1f}\u{7f}", "'\\\\\\n\\r\\t\\x00\\x1f\\x7f'"),
        ("\u{e9}\u{65e5}\u{672c}\u{301}", "'\u{e9}\u{65e5}\u{672c}\u{301}'"),
        ("\u{200b}\u{a0}\u{2028}\u{ad}", "'\\u200b\\xa0\\u2028\\xad'"),
        ("\u{1f600}\u{e0001}\u{e000}", "'\u{1f600}\\U000e0001\\ue000'"),
        ("\u{378}", "'\\u0378'"),
    ];
    for (text, expected) in cases {
        assert_eq!(str_repr(text), expected, "{text:?}");
    }
}

#[test]
fn capitalize_texts() {
    let cases = [
        ("", ""),
        ("hELLO", "Hello"),
        ("\u{df}ETA", "Sseta"),
        ("\u{1c6}ungla", "\u{1c5}ungla"),
        ("\u{fb01}eld", "Field"),
        ("\u{391}\u{3a3}", "\u{391}\u{3c2}"),
        ("\u{3c3}\u{3a3}", "\u{3a3}\u{3c2}"),
        ("\u{149}a", "\u{2bc}Na"),
        ("\u{10d0}", "\u{10d0}"),
        ("\u{1fb3}a", "\u{1fbc}a"),
        ("\u{1fbc}A", "\u{1fbc}a"),
        ("\u{1fb2}", "\u{1fba}\u{345}"),
        ("\u{1ff7}", "\u{3a9}\u{342}\u{345}"),
        ("\u{149}", "\u{2bc}N"),
        ("\u{130}I", "\u{130}i"),
        ("\u{1f56}\u{3a3}", "\u{3a5}\u{313}\u{342}\u{3c2}"),
        ("\u{587}", "\u{535}\u{582}"),
        ("1aB", "1ab"),
    ];
    for (text, expected) in cases {
        assert_eq!(capitalize(text), expected, "{text:?}");
    }
}

#[test]
fn strip_texts() {
    let cases =
        [(" a ", "a"), ("\u{a0}\u{3000}a\u{1c}\u{1f}\u{200b} ", "a\u{1c}\u{1f}\u{200b}"), ("\u{85}a\u{2003}", "a")];
    for (text, expected) in cases {
        assert_eq!(strip(text), expected, "{text:?}");
    }
}

#[test]
fn splits_lines() {
    let cases = [
        ("", ""),
        ("a", "a"),
        ("a\n", "a"),
        ("a\u{d}\nb\u{d}c", "a|b|c"),
        ("\u{b}a\u{c}b\u{1c}c\u{1d}d\u{1e}e\u{85}f\u{2028}g\u{2029}h", "|a|b|c|d|e|f|g|h"),
        ("\n\n", "|"),
        ("a\u{d}\u{d}\nb", "a||b"),
    ];
    for (text, expected) in cases {
        assert_eq!(splitlines(text).collect::<Vec<_>>().join("|"), expected, "{text:?}");
    }
}

#[test]
fn cleans_docs() {
    let cases = [
        ("", ""),
        ("\n", ""),
        ("  a\n    b\n  c", "a\n  b\nc"),
        ("a\n\u{9}b\n\u{9}\u{9}c", "a\nb\n        c"),
        ("\u{9}a\n  b", "a\nb"),
        ("\n\n  a\n\n    b\n \n", "a\n\n  b"),
        ("  padded  \n  next  ", "padded  \nnext  "),
        ("\u{3000}a\n\u{3000}\u{3000}b\n\u{3000}c", "a\n\u{3000}b\nc"),
        ("a\n   \n  b", "a\n \nb"),
        ("  \n  a", "a"),
        ("a\u{d}\n\u{9}b", "a\u{d}\nb"),
        ("a\n    \u{9} \n b\n\n", "a\n        \nb"),
        ("\n   \n", "   "),
    ];
    for (text, expected) in cases {
        assert_eq!(cleandoc(text), expected, "{text:?}");
    }
}

#[test]
fn dedents() {
    let cases = [
        ("", ""),
        ("\n", "\n"),
        ("  a\n    b\n  c", "a\n  b\nc"),
        ("a\n\u{9}b\n\u{9}\u{9}c", "a\n\u{9}b\n\u{9}\u{9}c"),
        ("\u{9}a\n  b", "\u{9}a\n  b"),
        ("\n\n  a\n\n    b\n \n", "\n\na\n\n  b\n\n"),
        ("  padded  \n  next  ", "padded  \nnext  "),
        ("\u{3000}a\n\u{3000}\u{3000}b\n\u{3000}c", "\u{3000}a\n\u{3000}\u{3000}b\n\u{3000}c"),
        ("a\n   \n  b", "a\n\n  b"),
        ("  \n  a", "\na"),
        ("a\u{d}\n\u{9}b", "a\u{d}\n\u{9}b"),
        ("a\n    \u{9} \n b\n\n", "a\n\n b\n\n"),
        ("\n   \n", "\n\n"),
        ("\u{9} a\n\u{9}  b", "a\n b"),
        ("\u{9}a\n b", "\u{9}a\n b"),
        (" a\n\n b", "a\n\nb"),
        ("   a\n  \u{9}\n  b", " a\n\nb"),
        ("a\n   ", "a\n"),
        ("  a\n\u{3000}b", "  a\n\u{3000}b"),
    ];
    for (text, expected) in cases {
        assert_eq!(dedent(text), expected, "{text:?}");
    }
}

#[test]
fn knows_upper_case() {
    let cases = [
        ("", false),
        ("A", true),
        ("a", false),
        ("1", false),
        ("A1", true),
        ("Aa", false),
        ("\u{1c5}", false),
        ("\u{c9}", true),
        ("\u{df}", false),
        ("\u{386}\u{1c4}", true),
        ("\u{2167}", true),
        ("\u{24d0}", false),
        ("\u{aa}A", false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_upper(text), expected, "{text:?}");
    }
}

#[test]
fn repr_of_floats() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (123456789012345680.0, "1.2345678901234568e+17"),
        (1e22, "1e+22"),
        (1e-4, "0.0001"),
        (0.00012345, "0.00012345"),
        (1e-5, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (12345678.9, "12345678.9"),
        (-2.5e-10, "-2.5e-10"),
        (f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (number, expected) in cases {
        assert_eq!(float_repr(number), expected);
    }
}

#[test]
fn shows_moments() {
    use ScalarKind::*;
    let cases = [
        (
            Datetime,
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04:05+00:00",
            "datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)",
        ),
        (Datetime, "2024-01-02T00:00:00", "2024-01-02 00:00:00", "datetime.datetime(2024, 1, 2, 0, 0)"),
        (
            Datetime,
            "2024-01-02T03:04:05.000120+05:30",
            "2024-01-02 03:04:05.000120+05:30",
            "datetime.datetime(2024, 1, 2, 3, 4, 5, 120, tzinfo=datetime.timezone(datetime.timedelta(seconds=19800)))",
        ),
        (
            Datetime,
            "2024-01-02T03:04:00-08:00",
            "2024-01-02 03:04:00-08:00",
            "datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=57600)))",
        ),
        (Date, "2024-12-31", "2024-12-31", "datetime.date(2024, 12, 31)"),
        (Time, "03:04:05.500000", "03:04:05.500000", "datetime.time(3, 4, 5, 500000)"),
        (Time, "00:00:00", "00:00:00", "datetime.time(0, 0)"),
        (
            Timedelta,
            "P1DT2H3M4.5S",
            "1 day, 2:03:04.500000",
            "datetime.timedelta(days=1, seconds=7384, microseconds=500000)",
        ),
        (Timedelta, "-P1DT1S", "-2 days, 23:59:59", "datetime.timedelta(days=-2, seconds=86399)"),
        (Timedelta, "PT0S", "0:00:00", "datetime.timedelta(0)"),
        (Timedelta, "PT1H", "1:00:00", "datetime.timedelta(seconds=3600)"),
        (Decimal, "1.10", "1.10", "Decimal('1.10')"),
        (
            Uuid,
            "12345678-1234-5678-1234-567812345678",
            "12345678-1234-5678-1234-567812345678",
            "UUID('12345678-1234-5678-1234-567812345678')",
        ),
    ];
    for (kind, text, shown, represented) in cases {
        let value = Value::Scalar(kind, text.to_owned());
        assert_eq!(str_of(&value), shown);
        assert_eq!(repr(&value), represented);
    }
}

#[test]
fn repr_of_containers() {
    let dict = Map::from([("a".to_owned(), Value::None), ("b".to_owned(), Value::Bool(true))]);
    let cases = [
        (Value::List(vec![Value::Int(1), Value::from("x"), Value::Float(1.0)]), "[1, 'x', 1.0]"),
        (Value::Tuple(vec![]), "()"),
        (Value::Tuple(vec![Value::Int(1)]), "(1,)"),
        (Value::Set(vec![]), "set()"),
        (Value::Set(vec![Value::Int(2)]), "{2}"),
        (Value::Dict(dict), "{'a': None, 'b': True}"),
        (Value::MixedDict(vec![(Value::Int(1), Value::from("a"))]), "{1: 'a'}"),
        (Value::Bytes(b"a'\n\xff".to_vec()), "b\"a'\\n\\xff\""),
    ];
    for (value, expected) in cases {
        assert_eq!(repr(&value), expected);
    }
}

#[test]
fn knows_names() {
    for name in ["a", "_", "a1", "é", "日本", "ﬁeld", "a·b", "℘"] {
        assert!(is_identifier(name), "{name}");
    }
    for name in ["", "1a", "a b", "a-b", "→", "a²", "·a", "\u{200b}"] {
        assert!(!is_identifier(name), "{name}");
    }
    assert!(is_keyword("lambda") && !is_keyword("match"));
    assert_eq!(nfkc("ﬁeld_Å"), "field_Å");
}

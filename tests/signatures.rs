//! Signatures at their door: what malformed ones say, and what holds for all of them.

use lakelet::signature::{Field, Signature, Type, Types};
use lakelet::{Error, ErrorKind};

fn refusal(text: &str) -> Error {
    Signature::parse(text).expect_err(text)
}

#[test]
fn a_malformed_signature_says_what_is_wrong_and_what_to_do() {
    let cases = [
        ("question", "ValueError", "Invalid signature format: 'question', must contain exactly one '->'."),
        ("a -> b -> c", "ValueError", "Invalid signature format: 'a -> b -> c', must contain exactly one '->'."),
        ("a: integer -> b", "ValueError", "Unknown name: integer"),
        ("a: 3 -> b", "ValueError", "Field types must be types, but received: 3 of type <class 'int'>."),
        (
            "q, a -> a, q",
            "ValueError",
            "Input and output fields must have distinct names, but found duplicates: 'a, q'.",
        ),
        ("a: int[str] -> b", "TypeError", "type 'int' is not subscriptable"),
        ("a: Optional[int, str] -> b", "ValueError", "Optional must have exactly one type argument"),
        ("_a -> b", "PydanticUserError", "the field name `_a` begins with an underscore"),
        ("fields -> b", "TypeError", "the field name `fields` is a name that DSPy keeps for itself"),
        ("a: list[ -> b", "SyntaxError", "expected a type at the end of `a: list[`"),
        ("a b -> c", "SyntaxError", "invalid syntax at character 3 of `a b`, near `b`"),
        ("class -> c", "SyntaxError", "expected a name at character 1 of `class`, near `class`"),
        ("a: 'x -> c", "SyntaxError", "a text without closing quote at character 4 of `a: 'x`, near `'x`"),
        ("a → b -> c", "SyntaxError", "a character that no name holds at character 3 of `a → b`, near `→ b`"),
    ];
    for (text, class, message) in cases {
        let error = refusal(text);
        assert_eq!(error.kind(), ErrorKind::Signature, "{text}");
        assert_eq!(error.python_class(), Some(class), "{text}");
        assert_eq!(error.message(), message, "{text}");
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{text}");
    }
    assert_eq!(refusal("a, b: foo -> c").field(), Some("b"));
}

#[test]
fn nesting_without_end_is_an_error_and_no_crash() {
    let deep = |part: &str| part.repeat(100_000);
    for ty in [
        deep("list["),
        deep("("),
        deep("["),
        deep("{"),
        deep("-"),
        deep("not "),
        deep("await "),
        deep("lambda: "),
        deep("x if y else "),
        deep("f("),
        deep("x["),
        deep("a ** "),
        format!("a{}", deep(".a")),
        format!("a{}", deep("[0]")),
        format!("a{}", deep("()")),
        format!("a{}", deep(" + a")),
        format!("int{}", deep(" | list[int]")),
        format!("int{}", (0..1000).map(|i| format!(" | Literal[{i}]")).collect::<String>()),
    ] {
        let start: String = ty.chars().take(20).collect();
        let error = Type::parse(&ty, &Types::new()).expect_err(&start);
        assert!(error.hint().is_some(), "{start}");
    }
}

#[test]
fn wide_signatures_are_read_to_the_end() {
    let side = |letter: &str| (0..4_000).map(|i| format!("{letter}{i}: int")).collect::<Vec<_>>().join(", ");
    let text = format!("{} -> {}", side("a"), side("b"));
    let signature = Signature::parse(&text).expect("a valid signature");
    assert_eq!(signature.fields.len(), 8_000);
    assert!(signature.equals(&signature.clone()));
    assert!(refusal(&format!("{} -> {}", side("a"), side("a"))).message().contains("duplicates: 'a0, a1, a10,"));
    let labels = (0..4_000).map(|i| format!("'label {i}'")).collect::<Vec<_>>().join(", ");
    let signature = Signature::parse(&format!("q -> a: Literal[{labels}]")).expect("a valid signature");
    assert!(signature.fields[1].placeholder().is_ok_and(|text| text.ends_with("; label 3999")));
}

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn ty(&mut self, depth: usize) -> String {
        const PLAIN: [&str; 9] =
            ["str", "int", "float", "bool", "Any", "list", "datetime.date", "dspy.Image", "decimal.Decimal"];
        const LITERALS: [&str; 4] = ["'a', 'b'", "1, True, 1.5, None", "\"it's\", 'é'", "b'x'"];
        if depth == 0 {
            return self.pick(&PLAIN).to_owned();
        }
        let mut inner = || self.ty(depth - 1);
        let (a, b) = (inner(), inner());
        match self.roll(8) {
            0 => format!("list[{a}]"),
            1 => format!("dict[{a}, {b}]"),
            2 => format!("tuple[{a}, {b}]"),
            3 => format!("set[{a}]"),
            4 => format!("Optional[{a}]"),
            5 => format!("{a} | {b}"),
            6 => format!("Literal[{}]", self.pick(&LITERALS)),
            _ => a,
        }
    }
}

#[test]
fn blanks_and_brackets_around_a_type_change_nothing() {
    let mut dice = Dice(2);
    for _ in 0..2_000 {
        let text = dice.ty(3);
        let loose = text.replace('[', " [\n ").replace(',', "\t, ").replace(']', " ] ");
        let types = Types::new();
        let ty = Type::parse(&text, &types).expect(&text);
        // Blanks inside a literal text are part of it.
        if !text.contains("Literal") {
            assert_eq!(Type::parse(&loose, &types).expect(&loose), ty);
        }
        assert_eq!(Type::parse(&format!("((\n{text}))"), &types).expect(&text), ty);
        assert!(ty.schema_text().is_ok(), "{text}");
    }
}

#[test]
fn a_name_of_a_type_reads_back_as_the_type() {
    let mut dice = Dice(3);
    for _ in 0..2_000 {
        let ty = Type::parse(&dice.ty(3), &Types::new()).expect("a valid type");
        let name = ty.annotation_name();
        // Modules are not part of the name.
        let qualified = name.replace("date", "datetime.date").replace("Image", "dspy.Image");
        let qualified = qualified.replace("Decimal", "decimal.Decimal");
        assert_eq!(Type::parse(&qualified, &Types::new()).expect(&qualified), ty);
    }
}

#[test]
fn edits_leave_the_signature_and_undo_each_other() {
    let mut dice = Dice(4);
    for _ in 0..500 {
        let base = Signature::parse("a, b: int -> c, d: bool").expect("a valid signature");
        let copy = base.clone();
        let ty = Type::parse(&dice.ty(2), &Types::new()).expect("a valid type");
        let field = if dice.roll(2) == 0 { Field::input("new", ty) } else { Field::output("new", ty) };
        let index = dice.roll(6) as i64 - 3;
        let inserted = base.insert(index, field).expect("a valid position");
        let kept = inserted.delete("new").expect("a valid signature");
        assert_eq!(base, copy);
        assert_eq!(kept, base);
        assert_eq!(inserted.load_state(&inserted.dump_state()).expect("its own state"), inserted);
    }
    assert!(Signature::parse("a -> b").and_then(|s| s.insert(i64::MIN, Field::input("c", Type::Str))).is_err());
    assert!(Signature::parse("a -> b").and_then(|s| s.insert(i64::MAX, Field::input("c", Type::Str))).is_err());
}

#[test]
fn a_state_of_another_form_names_what_it_lacks() {
    let signature = Signature::parse("a -> b").expect("a valid signature");
    let broken = serde_json::json!({"instructions": "x", "fields": [{"prefix": "A:"}]});
    let error = signature.load_state(&broken).expect_err("a field without description");
    assert_eq!((error.kind(), error.message()), (ErrorKind::State, "the saved state of a has no `description`"));
}

#[test]
fn an_object_given_as_json_schema_is_shown_and_asked_for_as_it_is() {
    let schema = serde_json::json!({
        "type": "object",
        "title": "Address",
        "properties": {"city": {"$ref": "#/$defs/City"}},
        "required": ["city"],
        "$defs": {"City": {"type": "string", "minLength": 1}},
    });
    let mut types = Types::new();
    types.insert("Address", Type::JsonSchema(("Address".to_owned(), schema.clone()).into()));
    let signature = Signature::parse_with("q -> home: Address, all: list[Address]", &types).expect("a valid signature");
    assert_eq!(
        signature.describe(signature.outputs()).ok().as_deref(),
        Some("1. `home` (Address): \n2. `all` (list[Address]):")
    );
    assert_eq!(
        signature.fields[2].ty.schema_text().ok().as_deref(),
        Some(concat!(
            r##"{"type": "array", "$defs": {"City": {"type": "string", "minLength": 1}}, "items": {"type": "object", "##,
            r##""properties": {"city": {"$ref": "#/$defs/City"}}, "required": ["city"], "title": "Address"}}"##
        ))
    );
    let reply = signature.response_schema(false).expect("a schema");
    assert_eq!(reply.pointer("/$defs/City/minLength"), Some(&1.into()));
    assert_eq!(reply.pointer("/properties/home/additionalProperties"), Some(&false.into()));

    let mut other = schema;
    other["$defs"]["City"]["minLength"] = 2.into();
    types.insert("Other", Type::JsonSchema(("Other".to_owned(), other).into()));
    let clash = Signature::parse_with("q -> a: Address, b: Other", &types).and_then(|s| s.response_schema(false));
    let message = "the schema of `Other` and another one define `City` differently";
    assert!(clash.is_err_and(|error| error.message().ends_with(message)));
}

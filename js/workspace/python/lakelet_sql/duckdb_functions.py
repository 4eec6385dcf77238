"""Functions and casts of Databricks SQL whose counterparts in DuckDB give other values or types, put right in the tree."""

from sqlglot import exp

from .errors import SPARK_HINT, unsupported

# Functions whose values differ between the engines, though they share a name: a wrong value is worse than none.
DIFFERENT = {
    "hash", "xxhash64", "crc32", "stack", "inline", "inline_outer", "schema_of_json", "http_request", "url_encode", "url_decode",
    "arrays_zip", "cardinality",
}  # fmt: skip

# Functions under other names.
RENAMED = {"btrim": "trim", "every": "bool_and", "some": "bool_or", "any": "bool_or", "kurtosis": "kurtosis_pop", "octet_length": "strlen"}

AS_INT = (
    exp.StrPosition, exp.Length, exp.Levenshtein, exp.DayOfYear, exp.WeekOfYear, exp.Quarter, exp.Month, exp.Day, exp.Hour, exp.Minute,
    exp.Second, exp.Year, exp.ArraySize, exp.BitLength, exp.RegexpCount, exp.RegexpInstr, exp.UnixDate, exp.BitwiseCount,
)  # fmt: skip
AS_BIGINT = (exp.IntDiv, exp.ArrayPosition)
AS_DOUBLE = (exp.Sign, exp.Quantile)
AS_DATE = (exp.TsOrDsAdd, exp.DateFromUnixDate)
AS_TIMESTAMP = (exp.StrToTime, exp.TimestampFromParts, exp.TimestampAdd)
INTEGERS = {exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT}
TRUNCATIONS = {"MM": "month", "MON": "month", "MONTH": "month", "YY": "year", "YYYY": "year", "YEAR": "year", "QUARTER": "quarter", "WEEK": "week"}

# Functions that DuckDB lacks, in its own SQL.
MACROS = [
    "substring_index(s, d, n) AS array_to_string(CASE WHEN n > 0 THEN string_split(s, d)[1:n] ELSE string_split(s, d)[greatest(1, len(string_split(s, d)) + n + 1):] END, d)",
    "pmod(a, b) AS ((a % b) + b) % b",
    "nanvl(a, b) AS CASE WHEN isnan(a) THEN b ELSE a END",
    "format_number(x, d) AS format('{:,.' || d || 'f}', CAST(x AS DOUBLE))",
    "hypot(a, b) AS sqrt(CAST(a AS DOUBLE) * a + CAST(b AS DOUBLE) * b)",
    "zeroifnull(x) AS coalesce(x, 0)",
    "nullifzero(x) AS nullif(x, 0)",
    "get(a, i) AS a[i + 1]",
    "array_repeat(x, n) AS list_transform(range(n), LAMBDA i : x)",
    "arrays_overlap(a, b) AS list_has_any(a, b)",
    "lakelet_array_distinct(a) AS list_filter(a, LAMBDA x, i : list_position(a, x) = i)",
    "array_union(a, b) AS lakelet_array_distinct(list_concat(a, b))",
    "timestamp_seconds(x) AS to_timestamp(x)",
    "timestamp_millis(x) AS to_timestamp(x / 1000.0)",
    "timestamp_micros(x) AS to_timestamp(x / 1000000.0)",
    # A cast of a number to an integer cuts its fraction off, where DuckDB rounds.
    "lakelet_whole(x) AS CASE WHEN typeof(x) IN ('FLOAT', 'DOUBLE') THEN CAST(trunc(TRY_CAST(x AS DOUBLE)) AS HUGEINT) "
    "WHEN starts_with(typeof(x), 'DECIMAL') THEN CAST(split_part(CAST(x AS VARCHAR), '.', 1) AS HUGEINT) ELSE CAST(x AS HUGEINT) END",
    "lakelet_text(x) AS CASE WHEN typeof(x) IN ('FLOAT', 'DOUBLE') THEN lakelet_double_text(TRY_CAST(x AS DOUBLE)) "
    "WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE' THEN regexp_replace(CAST(x AS VARCHAR), '[+]00$', '') ELSE CAST(x AS VARCHAR) END",
]  # fmt: skip


def call(name, *arguments):
    """A call of a function of DuckDB."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def put_right(node):
    """What stands for a node whose parts are put right already; the node itself if it needs nothing."""
    if isinstance(node, AS_INT):
        return exp.cast(node.copy(), "INT")
    if isinstance(node, AS_BIGINT):
        return exp.cast(node.copy(), "BIGINT")
    if isinstance(node, AS_DOUBLE):
        return exp.cast(node.copy(), "DOUBLE")
    if isinstance(node, AS_DATE):
        return exp.cast(node.copy(), "DATE")
    if isinstance(node, AS_TIMESTAMP):
        return exp.cast(node.copy(), "TIMESTAMPTZ")
    handler = HANDLERS.get(type(node))
    return handler(node) if handler else node


def _cast(node):
    to, value = node.to, node.this
    if to.this == exp.DType.TIMESTAMP:
        # to_timestamp() is read as a cast to the type without a time zone.
        return type(node)(this=value.copy(), to=exp.DataType.build("TIMESTAMPTZ"))
    if isinstance(value, exp.JSONExtract) and not isinstance(value, exp.JSONExtractScalar) and to.this == exp.DType.TEXT:
        return exp.JSONExtractScalar(this=value.this.copy(), expression=value.expression.copy())
    plain = isinstance(value, (exp.Literal, exp.Null, exp.Boolean, exp.Cast)) or isinstance(value, AS_INT)
    if to.this in INTEGERS and not (plain and not (isinstance(value, exp.Literal) and not value.is_string)) and type(node) is exp.Cast:
        return exp.Cast(this=call("lakelet_whole", value.copy()), to=to.copy())
    if to.this == exp.DType.TEXT and not isinstance(value, (exp.Literal, exp.Null)) and type(node) is exp.Cast:
        return call("lakelet_text", value.copy())
    return node


def _substring(node):
    start = node.args.get("start")
    if isinstance(start, exp.Literal) and start.this == "0":
        start.replace(exp.Literal.number(1))
    return node


def _like(node):
    """Backslash is the escape of patterns, where DuckDB has none unless it is told."""
    if isinstance(node.parent, exp.Escape) or (isinstance(node.expression, exp.Literal) and "\\" not in node.expression.this):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _to_unix(node):
    # The translator's own name of Databricks' default pattern.
    if node.args["format"].name.replace("strict", "") == "%Y-%m-%d %H:%M:%S":
        return exp.cast(call("epoch", exp.cast(node.this.copy(), "TIMESTAMPTZ")), "BIGINT")
    return exp.cast(node.copy(), "BIGINT")


def _date_diff(node):
    """Days, or whole units: DuckDB counts the boundaries between."""
    unit = (node.args.get("unit") or exp.var("DAY")).name.lower()
    start, end = node.expression.copy(), node.this.copy()
    if unit == "day" and isinstance(node, exp.DateDiff):
        return exp.cast(call("date_diff", exp.Literal.string("day"), exp.cast(start, "DATE"), exp.cast(end, "DATE")), "INT")
    return call("date_sub", exp.Literal.string(unit), exp.cast(start, "TIMESTAMPTZ"), exp.cast(end, "TIMESTAMPTZ"))


def _date_trunc(node):
    unit = TRUNCATIONS.get(node.args["unit"].name.upper())
    if unit is None:
        raise unsupported(f"trunc() to '{node.args['unit'].name}'", "DuckDB", SPARK_HINT)
    return exp.cast(call("date_trunc", exp.Literal.string(unit), node.this.copy()), "DATE")


def _add(node):
    """A date and an interval of days or more are a date."""
    left, right = node.this, node.expression
    if isinstance(left, exp.Cast) and left.to.this == exp.DType.DATE and isinstance(right, exp.Interval):
        if (right.args.get("unit") or exp.var("DAY")).name.upper().rstrip("S") in ("DAY", "WEEK", "MONTH", "YEAR"):
            return exp.cast(node.copy(), "DATE")
    return node


def _transform(node):
    """The index of an element counts from zero."""
    parameters = node.expression.expressions if isinstance(node.expression, exp.Lambda) else []
    if len(parameters) == 2:
        name = parameters[1].name
        for identifier in list(node.expression.this.find_all(exp.Identifier, exp.Column)):
            if identifier.name == name and not isinstance(identifier.parent, exp.Column):
                identifier.replace(exp.paren(exp.Sub(this=exp.to_identifier(name), expression=exp.Literal.number(1))))
    return node


def _exists(node):
    if not isinstance(node.expression, exp.Lambda):
        return node
    return call("list_bool_or", call("list_transform", node.this.copy(), node.expression.copy()))


def _reduce(node):
    if node.args.get("finish") is not None:
        raise unsupported("aggregate() with a finishing function", "DuckDB", SPARK_HINT)
    return node


def _to_json(node):
    """Fields without a value are left out."""
    if isinstance(node.this, exp.Struct):
        return exp.cast(call("json_merge_patch", exp.Literal.string("{}"), call("to_json", node.this.copy())), "TEXT")
    return node


def _function(node):
    name = node.name.lower()
    if name in DIFFERENT:
        raise unsupported(f"function {name}() with Databricks' values", "DuckDB", SPARK_HINT)
    if name in RENAMED:
        node.set("this", RENAMED[name])
    elif name == "weekday":
        return exp.cast(exp.Sub(this=call("isodow", node.expressions[0].copy()), expression=exp.Literal.number(1)), "INT")
    elif name == "isnull":
        return exp.Is(this=node.expressions[0].copy(), expression=exp.null())
    elif name == "isnotnull":
        return exp.not_(exp.Is(this=node.expressions[0].copy(), expression=exp.null()))
    elif name == "forall":
        return call("list_bool_and", call("list_transform", *[argument.copy() for argument in node.expressions]))
    elif name == "json_array_length":
        return exp.cast(node.copy(), "INT")
    return node


def _safe(operation):
    return lambda node: call("try", operation(this=node.this.copy(), expression=node.expression.copy()))


def _different(node):
    raise unsupported(f"function {node.sql_name().lower()}() with Databricks' values", "DuckDB", SPARK_HINT)


HANDLERS = {
    exp.Cast: _cast,
    exp.Format: lambda node: call("printf", node.this.copy(), *[argument.copy() for argument in node.expressions]),
    exp.Substring: _substring,
    exp.Like: _like,
    exp.ILike: _like,
    exp.StrToUnix: _to_unix,
    exp.DayOfWeek: lambda node: exp.cast(exp.Add(this=node.copy(), expression=exp.Literal.number(1)), "INT"),
    exp.DateDiff: _date_diff,
    exp.TimestampDiff: _date_diff,
    exp.DateTrunc: _date_trunc,
    exp.Add: _add,
    exp.Transform: _transform,
    exp.Exists: _exists,
    exp.Reduce: _reduce,
    exp.JSONFormat: _to_json,
    exp.Kurtosis: lambda node: call("kurtosis_pop", node.this.copy()),
    exp.ArrayDistinct: lambda node: call("lakelet_array_distinct", node.this.copy()),
    exp.ArraysZip: _different,
    exp.Typeof: _different,
    exp.Soundex: _different,
    exp.SafeAdd: _safe(exp.Add),
    exp.SafeSubtract: _safe(exp.Sub),
    exp.SafeMultiply: _safe(exp.Mul),
    # The first zone is the one that the wall clock is of.
    exp.FromTimeZone: lambda node: exp.AtTimeZone(this=exp.AtTimeZone(this=node.this.copy(), zone=exp.Literal.string("UTC")), zone=node.args["zone"].copy()),
    exp.AtTimeZone: lambda node: exp.AtTimeZone(this=node.copy(), zone=exp.Literal.string("UTC")),
    exp.Anonymous: _function,
}

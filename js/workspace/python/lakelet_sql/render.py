"""Values of Arrow columns as the SQL statement API writes them.

In JSON_ARRAY every value is a string or null. Complex types are JSON texts, and the values in them are strings too:
https://github.com/databricks/databricks-jdbc/pull/730
"""

import base64
import json
import math
from decimal import Decimal

import pyarrow as pa
import pyarrow.types as t


def java_double(text):
    """The shortest digits of a number, in the notation of Java's Double.toString, which Spark prints."""
    if text in ("nan", "NaN"):
        return "NaN"
    if text in ("inf", "-inf"):
        return text.replace("inf", "Infinity")
    sign, digits, exponent = Decimal(text).as_tuple()
    digits = "".join(map(str, digits)).rstrip("0") or "0"
    exponent = len(Decimal(text).as_tuple().digits) + exponent - 1
    minus = "-" if sign else ""
    if digits == "0":
        return f"{minus}0.0"
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{minus}0.{'0' * (-exponent - 1)}{digits}"
        whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
        return f"{minus}{whole}.{fraction or '0'}"
    return f"{minus}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def timestamp(value, zone):
    text = value.isoformat(sep="T", timespec="microseconds" if value.microsecond % 1000 else "milliseconds")
    return text.split("+")[0] + ("Z" if zone else "")


def interval(value):
    """An interval of DuckDB as Databricks writes one."""
    if value.months and not (value.days or value.nanoseconds):
        return f"INTERVAL '{value.months // 12}-{value.months % 12}' YEAR TO MONTH"
    seconds, nanoseconds = divmod(value.nanoseconds, 1_000_000_000)
    fraction = f".{nanoseconds // 1000:06d}".rstrip("0") if nanoseconds else ""
    return f"INTERVAL '{value.days + value.months * 30} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}' DAY TO SECOND"


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_of(kind):
    """The function that makes the text of one value of an Arrow type."""
    if t.is_boolean(kind):
        return lambda v: "true" if v else "false"
    if t.is_floating(kind):
        return float32_text if t.is_float32(kind) else lambda v: java_double(repr(v))
    if t.is_timestamp(kind):
        return lambda v: timestamp(v, kind.tz is not None)
    if t.is_decimal(kind):
        return lambda v: format(v, "f")
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        return lambda v: base64.b64encode(v).decode()
    if t.is_interval(kind):
        return interval
    if t.is_nested(kind):
        tree = strings_of(kind)
        return lambda v: dumps(tree(v))
    return str


def float32_text(value):
    if not math.isfinite(value):
        return java_double(repr(value))
    return java_double(pa.array([value], pa.float32()).cast(pa.string())[0].as_py())


def strings_of(kind):
    """The function that turns a nested value into JSON whose leaves are strings or null."""
    if t.is_map(kind):
        key, item = strings_of(kind.key_type), strings_of(kind.item_type)
        return lambda v: None if v is None else {key_text(key(k)): item(x) for k, x in v}
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        item = strings_of(kind.value_type)
        return lambda v: None if v is None else [item(x) for x in v]
    if t.is_struct(kind):
        fields = [(field.name, strings_of(field.type)) for field in kind]
        return lambda v: None if v is None else {name: of(v[name]) for name, of in fields}
    text = text_of(kind)
    return lambda v: None if v is None else text(v)


def key_text(key):
    return key if isinstance(key, str) else dumps(key)


def json_of(kind):
    """The function that turns a value into plain JSON: numbers are numbers."""
    if t.is_map(kind):
        item = json_of(kind.item_type)
        return lambda v: None if v is None else {str(k): item(x) for k, x in v}
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        item = json_of(kind.value_type)
        return lambda v: None if v is None else [item(x) for x in v]
    if t.is_struct(kind):
        fields = [(field.name, json_of(field.type)) for field in kind]
        return lambda v: None if v is None else {name: of(v[name]) for name, of in fields}
    if t.is_boolean(kind) or t.is_integer(kind):
        return lambda v: v
    if t.is_floating(kind):
        return lambda v: v if v is not None and math.isfinite(v) else None
    if t.is_decimal(kind):
        return lambda v: None if v is None else float(v)
    text = text_of(kind)
    return lambda v: None if v is None else text(v)


def column_texts(array):
    """The texts of a whole column; null for null."""
    kind = array.type
    if t.is_string(kind) or t.is_large_string(kind):
        return array.to_pylist()
    if t.is_integer(kind) or t.is_date(kind):
        return array.cast(pa.string()).to_pylist()
    text = text_of(kind)
    return [None if v is None else text(v) for v in array.to_pylist()]


def column_json(array):
    if t.is_list(array.type) and t.is_float32(array.type.value_type):
        # The shortest digits that make the same 32-bit number, instead of those of the 64-bit one.
        array = array.cast(pa.list_(pa.string())).cast(pa.list_(pa.float64()))
    if t.is_float32(array.type):
        array = array.cast(pa.string()).cast(pa.float64())
    value = json_of(array.type)
    return [value(v) for v in array.to_pylist()]

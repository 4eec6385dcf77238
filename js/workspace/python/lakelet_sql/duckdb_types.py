"""The types of DuckDB by the names of Databricks SQL."""

SIMPLE = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "integer": "int",
    "bigint": "bigint",
    # Sums of integers are wider in DuckDB than BIGINT, which they are in Databricks.
    "hugeint": "bigint",
    "utinyint": "smallint",
    "usmallint": "int",
    "uinteger": "bigint",
    "ubigint": "decimal(20,0)",
    "uhugeint": "decimal(38,0)",
    "float": "float",
    "double": "double",
    "varchar": "string",
    "json": "string",
    "uuid": "string",
    "enum": "string",
    "blob": "binary",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "timestamp_s": "timestamp_ntz",
    "timestamp_ms": "timestamp_ntz",
    "timestamp_ns": "timestamp_ntz",
    "timestamp with time zone": "timestamp",
    "interval": "interval day to second",
    '"null"': "void",
    "null": "void",
}


def databricks_type(kind):
    """The type in lower case, as `array<float>` or `struct<a:int>`, of a DuckDB type object."""
    if kind.id == "decimal":
        (_, precision), (_, scale) = kind.children
        return f"decimal({precision},{scale})"
    if kind.id in ("list", "array"):
        return f"array<{databricks_type(kind.children[0][1])}>"
    if kind.id == "map":
        (_, key), (_, value) = kind.children
        return f"map<{databricks_type(key)},{databricks_type(value)}>"
    if kind.id == "struct":
        return f"struct<{','.join(f'{field_name(name)}:{databricks_type(child)}' for name, child in kind.children)}>"
    return SIMPLE.get(str(kind).lower(), SIMPLE.get(kind.id, str(kind).lower()))


def field_name(name):
    return name if name.replace("_", "a").isalnum() and not name[0].isdigit() else f"`{name}`"

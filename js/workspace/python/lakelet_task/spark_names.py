"""Names and paths of the workspace as its Spark has them: Spark has one catalog, which is `main`, and other catalogs' schemas are databases
called `<catalog>__<schema>` there."""

import re

from lakelet_task import paths

# What may stand in a statement, by kind: comments and texts are passed over.
_PIECE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|(?P<name>(?:`[^`]+`|\w+)(?:\s*\.\s*(?:`[^`]+`|\w+))*)|.", re.S)

# Statements that belong to a session.
_OF_SESSION = re.compile(r"\s*(USE|SET|RESET|CACHE|UNCACHE|CLEAR|ADD|LIST|CREATE\s+(OR\s+REPLACE\s+)?(GLOBAL\s+)?(TEMP|TEMPORARY)|DROP\s+TEMPORARY)\b", re.I)


def parts(name):
    return [quoted or plain for quoted, plain in re.findall(r"`([^`]+)`|(\w+)", name)]


def table(name):
    """The name of a table as Spark has it."""
    if not isinstance(name, str):
        return name
    found = parts(name)
    if len(found) != 3:
        return name
    catalog, schema, table = found
    if catalog == "spark_catalog":
        return name
    database = schema if catalog.lower() == "main" else f"{catalog}__{schema}"
    return f"spark_catalog.`{database}`.`{table}`"


def path(value):
    """A path of a volume as it is on this disk."""
    if isinstance(value, (list, tuple)):
        return [path(item) for item in value]
    if not isinstance(value, str):
        return value
    return paths.local(value.removeprefix("dbfs:") if value.startswith("dbfs:/Volumes/") else value)


def needs_session(text, views):
    """Whether a statement has to run in its session: it is about the session, or names one of its temporary views."""
    if _OF_SESSION.match(text):
        return True
    return any(found["name"] and len(parts(found["name"])) == 1 and parts(found["name"])[0].lower() in views for found in _PIECE.finditer(text))


def statement(text):
    """A statement with the names of tables as Spark has them, for the session."""
    before = ""
    written = []
    for found in _PIECE.finditer(text):
        piece = found[0]
        if found["name"]:
            if before.upper() in ("FROM", "JOIN", "INTO", "TABLE", "OVERWRITE", "USING", "UPDATE", "VIEW", ","):
                piece = table(piece)
            before = found["name"]
        elif piece == ",":
            before = ","
        elif not piece.isspace():
            before = ""
        written.append(piece)
    return "".join(written)

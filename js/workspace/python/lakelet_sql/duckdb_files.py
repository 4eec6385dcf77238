"""Files of volumes, read and written by DuckDB."""

import os
import re
import shutil
import uuid

from .duckdb_dialect import data_type, write
from .errors import SPARK_HINT, SqlError, unsupported

READERS = {"csv": "read_csv", "json": "read_json", "parquet": "read_parquet", "text": "read_text"}
# Options of Spark's reader of CSV by the names of DuckDB's.
CSV_OPTIONS = {"header": "header", "sep": "delim", "delimiter": "delim", "quote": "quote", "escape": "escape", "nullvalue": "nullstr"}
# Options that ask for what DuckDB does anyway.
NEEDLESS = {"format", "inferschema", "schema", "multiline", "schemaevolutionmode", "rescueddatacolumn"}

EXPORT = re.compile(
    r"\s*INSERT\s+OVERWRITE\s+(?:LOCAL\s+)?DIRECTORY\s+'((?:[^'\\\\]|\\\\.)*)'\s+USING\s+(\w+)\s+(?:OPTIONS\s*\(([^)]*)\)\s*)?(.*)", re.IGNORECASE | re.DOTALL
)


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def file_view(view, path, options):
    """The statement that makes the view of a file or folder that a statement reads."""
    form = options.get("format", "").lower() or os.path.splitext(path)[1].lstrip(".").lower()
    if not form:
        raise SqlError("CF_FILE_FORMAT_NOT_SPECIFIED", "42000", "Say the format of the files by format => '...'.")
    if form not in READERS:
        raise unsupported(f"reader of {form} files", "DuckDB", SPARK_HINT)
    arguments = []
    for name, value in options.items():
        if name.lower() in CSV_OPTIONS and form == "csv":
            arguments.append(f"{CSV_OPTIONS[name.lower()]} = {literal(value)}")
        elif name.lower() not in NEEDLESS:
            raise unsupported(f"option '{name}' for {form} files", "DuckDB", SPARK_HINT)
    if form == "csv" and "header" not in {name.lower() for name in options}:
        arguments.append("header = false")
    places = ", ".join(literal(place) for place in data_files(path))
    if not places:
        raise SqlError("PATH_NOT_FOUND", "42K03", "Path does not exist: the folder has no files.")
    source = f"{READERS[form]}([{places}]{''.join(', ' + argument for argument in arguments)})"
    return f"CREATE TEMP VIEW {quoted(view)} AS SELECT {schema_columns(options.get('schema'))} FROM {source}"


def data_files(path):
    """The files of a folder with those of the folders in it; what starts with '_' or '.' is no data."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name[0] not in "_.")
        found += [os.path.join(folder, name) for name in sorted(names) if name[0] not in "_."]
    return found


def schema_columns(schema):
    """The columns of a `schema => 'a INT, b STRING'`, cast by name."""
    if schema is None:
        return "*"
    struct = data_type(f"STRUCT<{schema}>")
    return ", ".join(f"CAST({quoted(column.name)} AS {write(column.args['kind'])}) AS {quoted(column.name)}" for column in struct.expressions)


def directory_export(statement):
    """The parts of `INSERT OVERWRITE DIRECTORY 'path' USING format query`; None for another statement."""
    found = EXPORT.fullmatch(statement)
    return found and Export(re.sub(r"\\(.)", r"\1", found[1]), found[2].lower(), found[3], found[4])


class Export:
    """A query whose rows become the files of a folder."""

    def __init__(self, path, form, options, query):
        self.path, self.form, self.query = path, form, query
        if form not in ("parquet", "csv", "json") or options:
            raise unsupported(f"INSERT OVERWRITE DIRECTORY USING {form}{' with OPTIONS' if options else ''}", "DuckDB", SPARK_HINT)

    def write(self, cursor, query):
        """Writes a new folder, and puts it in the place of the old one when all is in it."""
        new = f"{self.path.rstrip('/')}.{uuid.uuid4().hex}"
        os.makedirs(new)
        try:
            cursor.execute(f"COPY ({query}) TO {literal(os.path.join(new, f'part-00000.{self.form}'))} (FORMAT {self.form}{', HEADER false' if self.form == 'csv' else ''})")
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        shutil.rmtree(self.path, ignore_errors=True)
        os.rename(new, self.path)

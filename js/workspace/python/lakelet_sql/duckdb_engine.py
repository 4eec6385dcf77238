"""SQL by DuckDB: one database file for each catalog, in which every statement is one transaction."""

import json
import os
import threading
import time
import urllib.parse

import duckdb
import pyarrow as pa

from . import results
from .ai_query import Endpoint
from .duckdb_dialect import Translator, data_type, name_columns, parse, write
from .duckdb_errors import explained
from .duckdb_files import directory_export, file_view, literal
from .duckdb_functions import MACROS
from .duckdb_tables import Tables
from .duckdb_types import databricks_type
from .duckdb_write import write_statement
from .errors import SqlError, cancelled
from .python_functions import compiled, plain_name
from .render import java_double

# Seconds to wait for the process of a killed workspace to let go of the files.
LOCK_PATIENCE = 15


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def database(catalog):
    """The name of a catalog's database. `main` and `system` are names that DuckDB keeps for itself."""
    return quoted(f"c_{catalog}")


class DuckDbEngine:
    def __init__(self):
        self.connection = duckdb.connect(":memory:")
        self.cursors = {}
        # Numbers of the requests that are to end.
        self.cancelled = set()
        # One statement at a time changes things, as the files of DuckDB want it.
        self.writing = threading.Lock()
        self.attached = set()

    def start(self, _, folder, volumes, url, token, schemas, functions):
        self.folder = folder
        self.endpoint = Endpoint(url, token)
        os.makedirs(folder, exist_ok=True)
        # Extensions and settings would come from the network and the home folder: what is not built in is not there.
        self.connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        # SQL reads and writes what is in volumes, and nothing else of this machine.
        self.connection.execute(f"SET allowed_directories = [{literal(folder + os.sep)}, {literal(volumes + os.sep)}]; SET enable_external_access = false")
        self.connection.create_function(
            "lakelet_ai_query", self._ask, ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR"], duckdb.struct_type({"answer": "VARCHAR", "error": "VARCHAR"}),
            type="arrow", null_handling="special", side_effects=True,
        )  # fmt: skip
        self.connection.create_function(
            "lakelet_ai_answer", answer_or_error, [duckdb.struct_type({"answer": "VARCHAR", "error": "VARCHAR"})], "VARCHAR",
            type="arrow", null_handling="special", side_effects=True,
        )  # fmt: skip
        self.connection.create_function("lakelet_double_text", double_texts, ["DOUBLE"], "VARCHAR", type="arrow", null_handling="special")
        for macro in MACROS:
            self.connection.execute(f"CREATE MACRO {macro}")
        for catalog, schema in schemas:
            self.create_schema(None, catalog, schema)
        for function in functions:
            try:
                self.create_function(None, **function)
            except SqlError:
                # What it refers to may be gone. A call of it says so.
                pass
        return {}

    def end(self):
        """DuckDB ends with this process."""

    # ---- statements

    def execute(self, number, statement, parameters, catalog, schema, user, files, folder, format, limits):
        cursor = self._cursor(catalog, schema)
        self.cursors[number] = cursor
        try:
            if number in self.cancelled:
                raise cancelled()
            for file in files:
                cursor.execute(file_view(**file))
            translator = Translator(parameters, catalog, schema, user)
            export = directory_export(statement)
            tree = parse(export.query if export else statement)
            written = None if export else write_statement(tree, translator, Tables(cursor, catalog, schema, user))
            if export is not None:
                export.write(cursor, write(translator.translate(tree)))
                columns, batches = [], []
            elif written is not None:
                with self.writing:
                    if number in self.cancelled:
                        raise cancelled()
                    columns, batches = written()
            else:
                name_columns(tree)
                relation = cursor.sql(write(translator.translate(tree)))
                if relation is None:
                    columns, batches = [], []
                else:
                    columns = [{"name": name, "type": databricks_type(kind)} for name, kind in zip(relation.columns, relation.types)]
                    batches = relation.to_arrow_reader(2048)
            return results.write(batches, columns, folder, format, limits, lambda: number in self.cancelled)
        except (duckdb.Error, pa.ArrowException) as error:
            raise explained(error) if isinstance(error, duckdb.Error) or number in self.cancelled else error
        finally:
            self.cursors.pop(number, None)
            cursor.close()

    def interrupt(self, number):
        cursor = self.cursors.get(number)
        if cursor is not None:
            cursor.interrupt()

    def _cursor(self, catalog, schema):
        cursor = self.connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'; SET ieee_floating_point_ops = false")
        try:
            # The macros are in the database that is in memory.
            path = f"{database(catalog)}.{quoted(schema)},memory.main".replace("'", "''")
            cursor.execute(f"SET search_path = '{path}'")
        except duckdb.Error as error:
            raise SqlError("SCHEMA_NOT_FOUND", "42704", f"The schema `{catalog}`.`{schema}` cannot be found.") from error
        return cursor

    def _ask(self, endpoints, requests, parameters, formats):
        def decoded(column):
            return [None if text is None else json.loads(text) for text in column.to_pylist()]

        rows = zip(endpoints.to_pylist(), decoded(requests), decoded(parameters), formats.to_pylist())
        answers = self.endpoint.answers(rows)
        kind = pa.struct([("answer", pa.string()), ("error", pa.string())])
        return pa.array([{"answer": answer, "error": error} for answer, error in answers], kind)

    # ---- what the catalog store says

    def create_schema(self, _, catalog, schema):
        self._attach(catalog)
        self.connection.cursor().execute(f"CREATE SCHEMA IF NOT EXISTS {database(catalog)}.{quoted(schema)}")
        return {}

    def drop_schema(self, _, catalog, schema):
        self._attach(catalog)
        with self.writing:
            cursor = self.connection.cursor()
            cursor.execute("BEGIN")
            cursor.execute(f"DROP SCHEMA IF EXISTS {database(catalog)}.{quoted(schema)} CASCADE")
            cursor.execute(f"DELETE FROM {database(catalog)}.lakelet.tables WHERE schema_name = ?", [schema])
            cursor.execute("COMMIT")
        return {}

    def drop_catalog(self, _, catalog):
        with self.writing:
            if catalog in self.attached:
                self.connection.cursor().execute(f"DETACH {database(catalog)}")
                self.attached.discard(catalog)
            for suffix in ("", ".wal"):
                path = self._file(catalog) + suffix
                if os.path.exists(path):
                    os.remove(path)
        return {}

    def create_function(self, _, catalog, schema, name, parameters, returns, columns, language, body):
        takes_types = [write(data_type(p["type"])) for p in parameters]
        if language.upper() == "PYTHON":
            body = self._register_python(catalog, schema, name, parameters, takes_types, returns, body)
        translator = Translator([], catalog, schema, "")
        tree = translator.translate(parse(body if columns else f"SELECT {body}"))
        takes = ", ".join(
            f"{quoted(p['name'])} {kind}" + (f" := {write(parse('SELECT ' + p['default']).expressions[0])}" if p["default"] else "")
            for p, kind in zip(parameters, takes_types)
        )
        makes = f"TABLE {write(tree)}" if columns else f"(CAST(({write(tree.expressions[0])}) AS {write(data_type(returns))}))"
        cursor = self._cursor(catalog, schema)
        try:
            cursor.execute(f"CREATE OR REPLACE MACRO {database(catalog)}.{quoted(schema)}.{quoted(name)}({takes}) AS {makes}")
        except duckdb.Error as error:
            raise explained(error) from error
        return {}

    def _register_python(self, catalog, schema, name, parameters, takes_types, returns, body):
        """Registers a function in Python, and returns the call of it that is the body of the function in SQL."""
        own = plain_name(catalog, schema, name)
        function = compiled(name, parameters, body)
        try:
            self.connection.remove_function(own)
        except duckdb.Error:
            pass
        self.connection.create_function(own, function, takes_types, write(data_type(returns)), null_handling="special", side_effects=True)
        return f"{own}({', '.join(p['name'] for p in parameters)})"

    def drop_function(self, _, catalog, schema, name):
        for kind in ("MACRO", "MACRO TABLE"):
            self.connection.cursor().execute(f"DROP {kind} IF EXISTS {database(catalog)}.{quoted(schema)}.{quoted(name)}")
        return {}

    # ---- tables

    def tables(self, _, catalog, schema):
        return Tables(self._cursor(catalog, schema), catalog, schema, "").list()

    def table(self, _, catalog, schema, name):
        return Tables(self._cursor(catalog, schema), catalog, schema, "").find(name)

    def _attach(self, catalog):
        if catalog in self.attached:
            return
        cursor = self.connection.cursor()
        patience = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                cursor.execute(f"ATTACH {literal(self._file(catalog))} AS {database(catalog)}")
                break
            except duckdb.IOException as error:
                if "lock" not in str(error) or time.monotonic() > patience:
                    raise
                time.sleep(0.1)
        self.attached.add(catalog)
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {database(catalog)}.lakelet")
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {database(catalog)}.lakelet.tables (schema_name VARCHAR, table_name VARCHAR, info VARCHAR, "
            "created BIGINT, created_by VARCHAR, version BIGINT, committed BIGINT, PRIMARY KEY (schema_name, table_name))"
        )

    def _file(self, catalog):
        return os.path.join(self.folder, urllib.parse.quote(catalog, safe="") + ".duckdb")


def answer_or_error(rows):
    """The answers of ai_query; fails with the first error among them."""
    for row in rows.to_pylist():
        if row["error"] is not None:
            raise RuntimeError(row["error"])
    return pa.array([row["answer"] for row in rows.to_pylist()], pa.string())


def double_texts(numbers):
    return pa.array([None if number is None else java_double(repr(number)) for number in numbers.to_pylist()], pa.string())

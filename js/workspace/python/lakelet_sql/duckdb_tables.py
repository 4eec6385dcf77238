"""What the catalog says of tables and views: DuckDB's own list, with what it cannot keep in a table of each database file."""

import json
import time

from .duckdb_types import databricks_type
from .errors import SqlError


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def now():
    return time.time_ns() // 1_000_000


class Tables:
    """The tables that a connection sees, from a current catalog and schema."""

    def __init__(self, cursor, catalog, schema, user):
        self.cursor, self.catalog, self.schema, self.user = cursor, catalog, schema, user

    def place(self, table):
        """(catalog, schema, name) of a table of a tree, whose catalogs are called c_<catalog>."""
        catalog = table.catalog.removeprefix("c_") or self.catalog
        return catalog.lower(), (table.db or self.schema).lower(), table.name.lower()

    @staticmethod
    def sql(place):
        catalog, schema, name = place
        return f"{quoted('c_' + catalog)}.{quoted(schema)}.{quoted(name)}"

    @staticmethod
    def _notes(catalog):
        return f"{quoted('c_' + catalog)}.lakelet.tables"

    def kind(self, place):
        """`TABLE`, `VIEW`, or nothing if there is neither."""
        found = self.cursor.execute(
            "SELECT 'TABLE' FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2 AND lower(table_name) = $3 "
            "UNION ALL SELECT 'VIEW' FROM duckdb_views() WHERE database_name = $1 AND schema_name = $2 AND lower(view_name) = $3",
            [f"c_{place[0]}", place[1], place[2]],
        ).fetchone()
        return found and found[0]

    # ---- notes; the caller has a transaction

    def note_created(self, place, info):
        moment = now()
        self.forget(place)
        self.cursor.execute(f"INSERT INTO {self._notes(place[0])} VALUES (?, ?, ?, ?, ?, 0, ?)", [place[1], place[2], json.dumps(info), moment, self.user, moment])

    def note_commit(self, place):
        self.cursor.execute(
            f"UPDATE {self._notes(place[0])} SET version = version + 1, committed = ? WHERE schema_name = ? AND table_name = ?", [now(), place[1], place[2]]
        )

    def note(self, place, change):
        """Changes what is kept of a table by `change(info)`."""
        row = self.cursor.execute(f"SELECT info FROM {self._notes(place[0])} WHERE schema_name = ? AND table_name = ?", [place[1], place[2]]).fetchone()
        info = json.loads(row[0]) if row else {}
        change(info)
        self.cursor.execute(f"UPDATE {self._notes(place[0])} SET info = ? WHERE schema_name = ? AND table_name = ?", [json.dumps(info), place[1], place[2]])
        self.note_commit(place)

    def rename(self, place, name):
        self.cursor.execute(f"UPDATE {self._notes(place[0])} SET table_name = ? WHERE schema_name = ? AND table_name = ?", [name, place[1], place[2]])

    def forget(self, place):
        self.cursor.execute(f"DELETE FROM {self._notes(place[0])} WHERE schema_name = ? AND table_name = ?", [place[1], place[2]])

    # ---- descriptions

    def list(self):
        names = self.cursor.execute(
            "SELECT lower(table_name) FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2 "
            "UNION ALL SELECT lower(view_name) FROM duckdb_views() WHERE database_name = $1 AND schema_name = $2 AND NOT internal ORDER BY 1",
            [f"c_{self.catalog}", self.schema],
        ).fetchall()
        return [self.find(name) for (name,) in names]

    def find(self, name):
        """The description of a table or view, or None."""
        place = (self.catalog, self.schema, name.lower())
        kind = self.kind(place)
        if kind is None:
            return None
        row = self.cursor.execute(
            f"SELECT info, created, created_by, version, committed FROM {self._notes(self.catalog)} WHERE schema_name = ? AND table_name = ?", [place[1], place[2]]
        ).fetchone()
        text, created, created_by, version, committed = row or ("{}", 0, "", 0, 0)
        info = json.loads(text)
        required = {
            column
            for (column,) in self.cursor.execute(
                "SELECT column_name FROM duckdb_columns() WHERE database_name = $1 AND schema_name = $2 AND lower(table_name) = $3 AND NOT is_nullable",
                [f"c_{place[0]}", place[1], place[2]],
            ).fetchall()
        }
        relation = self.cursor.sql(f"SELECT * FROM {self.sql(place)}")
        comments = info.get("column_comments", {})
        columns = [
            {
                "name": column,
                "type": databricks_type(column_type),
                "nullable": column not in required,
                **({"comment": comments[column]} if column in comments else {}),
            }
            for column, column_type in zip(relation.columns, relation.types)
        ]
        return {
            "catalog": self.catalog,
            "schema": self.schema,
            "name": place[2],
            "type": "MANAGED" if kind == "TABLE" else "VIEW",
            "columns": columns,
            "properties": info.get("properties", {}),
            "created": created,
            "createdBy": created_by,
            "version": version,
            "committed": committed,
            **{key: info[key] for key in ("comment", "definition") if key in info},
        }

    def must_be_there(self, place):
        if self.kind(place) is None:
            shown = "`.`".join(place)
            raise SqlError("TABLE_OR_VIEW_NOT_FOUND", "42P01", f"The table or view `{shown}` cannot be found. Verify the spelling and correctness of the schema and catalog.")

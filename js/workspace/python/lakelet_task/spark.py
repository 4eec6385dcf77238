"""Apache Spark in tasks: sessions on the workspace's own Spark, by Spark Connect, made when they are first asked for.

`SparkSession.builder.getOrCreate()` and the notebook's `spark` give one. Statements of `spark.sql` run on the workspace's warehouse, which
knows the names of Unity Catalog and all that Databricks SQL has; those that read a temporary view run in the session that has it.
"""

import importlib.abc
import importlib.util
import os
import sys

from lakelet_task import rest, spark_names, sql


class LazySpark:
    """The session of a notebook. One that does not use it needs no PySpark."""

    def __getattr__(self, name):
        return getattr(session(), name)


spark = LazySpark()


def session(options=None):
    """The session of this task."""
    try:
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise ImportError(f"Spark in tasks needs PySpark with Spark Connect ({error}). Install it with: npx lakelet-workspace fetch spark") from None
    server = rest.call("POST", "/local/spark-connect", {})
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = server["token"]
    _adapt()
    given = {name: value for name, value in (options or {}).items() if name not in ("spark.master", "spark.remote")}
    return SparkSession.builder.config(map=given).remote(f"sc://localhost:{server['port']}").getOrCreate()


class SessionHook(importlib.abc.MetaPathFinder):
    """Makes PySpark's builder give the session of the task, when a program imports it."""

    def find_spec(self, name, path, target=None):
        if name != "pyspark.sql.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            module.SparkSession.Builder.getOrCreate = lambda builder: session(builder._options)

        spec.loader.exec_module = exec_module
        return spec


def install():
    sys.meta_path.insert(0, SessionHook())


_adapted = False


def _adapt():
    """Makes the methods that take names of tables and paths of volumes take those of the workspace."""
    global _adapted
    if _adapted:
        return
    _adapted = True
    from pyspark.sql.connect.readwriter import DataFrameReader, DataFrameWriter
    from pyspark.sql.connect.session import SparkSession

    run_in_session = SparkSession.sql
    SparkSession.sql = lambda self, sqlQuery, args=None, **named: _sql(self, run_in_session, sqlQuery, args, named)
    for kind, method in [(SparkSession, "table"), (DataFrameReader, "table"), (DataFrameWriter, "saveAsTable"), (DataFrameWriter, "insertInto")]:
        _with_first(kind, method, spark_names.table)
    readers = ["load", "parquet", "csv", "json", "text", "orc"]
    for kind, methods in [(DataFrameReader, readers), (DataFrameWriter, ["save", *readers[1:]])]:
        for method in methods:
            _with_first(kind, method, spark_names.path)


def _with_first(kind, method, change):
    original = getattr(kind, method)

    def changed(self, *arguments, **named):
        if arguments:
            arguments = (change(arguments[0]), *arguments[1:])
        return original(self, *arguments, **{name: change(value) if name in ("path", "paths", "tableName", "name") else value for name, value in named.items()})

    setattr(kind, method, changed)


def _sql(session, run_in_session, text, args, named):
    """Runs a statement where what it names is."""
    views = {table.name.lower() for table in session.catalog.listTables() if table.isTemporary}
    if named or isinstance(args, list) or spark_names.needs_session(text, views):
        return run_in_session(session, spark_names.statement(text), args, **named)
    return sql.run_as_frame(session, text, args or {})

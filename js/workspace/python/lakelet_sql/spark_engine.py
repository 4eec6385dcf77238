"""SQL by Apache Spark, with a metastore in Derby and tables in Parquet."""

import fcntl
import json
import os
import secrets
import shutil
import sys
import threading
import time

import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DayTimeIntervalType, NullType, StructType, VariantType, YearMonthIntervalType

from . import results
from .ai_query import Endpoint
from .errors import SqlError, cancelled
from .python_functions import compiled, plain_name
from .spark_ai_query import register_ai_query
from .spark_errors import explained
from .spark_parameters import typed
from .spark_rewrite import Rewriter

# Seconds to wait for the process of a killed workspace to let go of the metastore.
LOCK_PATIENCE = 30


def database(catalog, schema):
    """The database that holds a schema. Spark has one catalog, which is `main`."""
    return schema if catalog == "main" else f"{catalog}__{schema}"


def quoted(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


class SparkEngine:
    def __init__(self):
        # Numbers of the requests that are to end.
        self.cancelled = set()
        # Functions of the catalog that are written in Python, with the types of what they return. Sessions get them one by one.
        self.python_functions = {}
        # The process that Spark runs in.
        self.gateway = None
        # A table changes by getting other files: one statement at a time does that.
        self.writing = threading.Lock()
        self.connecting = threading.Lock()
        self.connect_token = secrets.token_urlsafe(32)
        self.connect_port = None

    def connect(self, _):
        """Lets Spark's own clients in, who know the token. Returns where they find the engine."""
        with self.connecting:
            package = self.gateway.jvm.org.apache.spark.sql.connect.service
            service = getattr(getattr(package, "SparkConnectService$"), "MODULE$")
            if self.connect_port is None:
                service.start(self.spark.sparkContext._jsc.sc())
                self.connect_port = service.localPort()
        return {"port": self.connect_port, "token": self.connect_token}

    def start(self, _, folder, volumes, url, token, schemas, functions):
        os.makedirs(folder, exist_ok=True)
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        # The workers that run Python functions need the same interpreter and this package.
        os.environ["PYSPARK_PYTHON"] = sys.executable
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
        self.endpoint = Endpoint(url, token)
        self.spark = self._session(folder)
        self.gateway = self.spark.sparkContext._gateway
        self.spark.sparkContext.setLogLevel("ERROR")
        self.rewriter = Rewriter(self)
        for catalog, schema in schemas:
            self.create_schema(None, catalog, schema)
        self.rewriter.recover([database(catalog, schema) for catalog, schema in schemas])
        for function in functions:
            try:
                self.create_function(None, **function)
            except SqlError:
                # What it refers to may be gone. A call of it says so.
                pass
        return {}

    def _session(self, folder):
        patience = time.monotonic() + LOCK_PATIENCE
        while self._locked(os.path.join(folder, "metastore", "dbex.lck")) and time.monotonic() < patience:
            time.sleep(0.2)
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.warehouse.dir": os.path.join(folder, "warehouse"),
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={os.path.join(folder, 'metastore')};create=true",
            "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder}",
            "spark.local.dir": os.path.join(folder, "temporary"),
            "spark.sql.session.timeZone": "UTC",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": "0",
            "spark.connect.authenticate.token": self.connect_token,
            "spark.sql.sources.default": "parquet",
            # What other readers of Parquet take for the moment that it is.
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            "spark.driver.memory": "2g",
            # Data of a workspace on one machine: more tasks would only cost their starts.
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "2048",
        }
        builder = SparkSession.builder.master("local[2]").appName("lakelet-workspace")
        for name, value in settings.items():
            builder = builder.config(name, value)
        return builder.enableHiveSupport().getOrCreate()

    @staticmethod
    def _locked(path):
        """Whether another process still has the metastore: Derby locks this file."""
        if not os.path.exists(path):
            return False
        with open(path, "r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except OSError:
                return True

    def end(self):
        """Ends Spark at once: it would finish what it is at, and keep the metastore meanwhile."""
        if self.gateway is not None:
            self.gateway.proc.kill()

    # ---- statements

    def execute(self, number, statement, parameters, catalog, schema, user, files, folder, format, limits):
        try:
            session = self._new_session(catalog, schema)
            self.spark.sparkContext.setJobGroup(str(number), "statement", interruptOnCancel=True)
            for file in files:
                file_view(session, **file)
            arguments = typed(session, parameters)
            frame = self.rewriter.run(session, statement, arguments, database(catalog, schema))
            if frame is None:
                frame = session.sql(statement, args=arguments)
            if number in self.cancelled:
                raise cancelled()
            columns = [{"name": field.name, "type": field.dataType.simpleString()} for field in frame.schema.fields]
            rows = batches(frame, limits["row_limit"], None if limits["max_bytes"] else f"{folder}.rows")
            return results.write(rows, columns, folder, format, limits, lambda: number in self.cancelled)
        except Exception as error:  # noqa: BLE001: what Spark raises comes in many kinds
            raise cancelled() if number in self.cancelled else explained(error)

    def interrupt(self, number):
        self.spark.sparkContext.cancelJobGroup(str(number))

    def _new_session(self, catalog, schema):
        session = self.spark.newSession()
        session.sql(f"USE {quoted(database(catalog, schema))}")
        register_ai_query(session, self.endpoint)
        for name, (function, returns) in self.python_functions.items():
            session.udf.register(name, F.udf(function, returns).asNondeterministic())
        return session

    # ---- what the catalog store says

    def create_schema(self, _, catalog, schema):
        self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(database(catalog, schema))}")
        return {}

    def drop_schema(self, _, catalog, schema):
        self.spark.sql(f"DROP SCHEMA IF EXISTS {quoted(database(catalog, schema))} CASCADE")
        return {}

    def drop_catalog(self, _, catalog):
        for row in self.spark.sql(f"SHOW SCHEMAS LIKE '{catalog}__*'").collect():
            self.spark.sql(f"DROP SCHEMA IF EXISTS {quoted(row[0])} CASCADE")
        return {}

    def create_function(self, _, catalog, schema, name, parameters, returns, columns, language, body):
        if language.upper() == "PYTHON":
            self.python_functions[plain_name(catalog, schema, name)] = (compiled(name, parameters, body), returns)
            return {}
        takes = ", ".join(f"{quoted(p['name'])} {p['type']}" + (f" DEFAULT {p['default']}" if p["default"] else "") for p in parameters)
        gives = "TABLE (" + ", ".join(f"{quoted(c['name'])} {c['type']}" for c in columns) + ")" if columns else returns
        try:
            session = self._new_session(catalog, schema)
            session.sql(f"CREATE OR REPLACE FUNCTION {quoted(database(catalog, schema), name)}({takes}) RETURNS {gives} RETURN {body}")
        except Exception as error:  # noqa: BLE001
            raise explained(error) from error
        return {}

    def drop_function(self, _, catalog, schema, name):
        self.python_functions.pop(plain_name(catalog, schema, name), None)
        self.spark.sql(f"DROP FUNCTION IF EXISTS {quoted(database(catalog, schema), name)}")
        return {}

    # ---- tables

    def tables(self, _, catalog, schema):
        names = [row.tableName for row in self.spark.sql(f"SHOW TABLES IN {quoted(database(catalog, schema))}").collect() if not row.isTemporary]
        found = [self.table(None, catalog, schema, name) for name in sorted(names)]
        return [table for table in found if table is not None]

    def table(self, _, catalog, schema, name):
        metadata = self.metadata(database(catalog, schema), name)
        if metadata is None:
            return None
        is_view = metadata.tableType().name() == "VIEW"
        fields = StructType.fromJson(json.loads(metadata.schema().json())).fields
        created = metadata.createTime()
        version = created if is_view else newest(location(metadata), created)
        return {
            "catalog": catalog,
            "schema": schema,
            "name": name,
            "type": metadata.tableType().name(),
            "columns": [
                {
                    "name": field.name,
                    "type": field.dataType.simpleString(),
                    "nullable": field.nullable,
                    **({"comment": field.metadata["comment"]} if "comment" in field.metadata else {}),
                }
                for field in fields
            ],
            "properties": {key: value for key, value in java_map(metadata.properties()).items() if not key.startswith(("view.", "spark."))},
            "created": created,
            "createdBy": metadata.owner(),
            "version": version,
            "committed": version,
            **({"comment": metadata.comment().get()} if metadata.comment().isDefined() else {}),
            **({"definition": metadata.viewText().get()} if is_view and metadata.viewText().isDefined() else {}),
        }

    def metadata(self, schema, name):
        """What the metastore has of a table or view; None if there is neither."""
        jvm = self.spark._jvm
        catalog = self.spark._jsparkSession.sessionState().catalog()
        identifier = jvm.org.apache.spark.sql.catalyst.TableIdentifier(name, jvm.scala.Option.apply(schema))
        return catalog.getTableMetadata(identifier) if catalog.tableExists(identifier) else None


def location(metadata):
    return metadata.location().getPath()


def newest(folder, otherwise):
    """When the files of a table last changed, in milliseconds: every commit makes files, or takes some away."""
    latest = otherwise
    for place, _, names in os.walk(folder):
        for path in [place, *(os.path.join(place, name) for name in names)]:
            try:
                latest = max(latest, os.stat(path).st_mtime_ns // 1_000_000)
            except FileNotFoundError:
                pass
    return latest


def java_map(scala_map):
    found = {}
    entries = scala_map.iterator()
    while entries.hasNext():
        entry = entries.next()
        found[entry._1()] = entry._2()
    return found


def batches(frame, row_limit, spill):
    """The rows of a query as Arrow batches, in columns that Arrow has types for; of any number by way of files in the folder `spill`."""
    if not frame.columns:
        return
    plain = frame.toDF(*[f"c{i}" for i in range(len(frame.columns))])
    columns = []
    for field in plain.schema.fields:
        column = F.col(field.name)
        if isinstance(field.dataType, VariantType):
            column = F.to_json(column)
        elif isinstance(field.dataType, (DayTimeIntervalType, YearMonthIntervalType, NullType)):
            column = column.cast("string")
        columns.append(column.alias(field.name))
    if row_limit is not None:
        plain = plain.limit(row_limit + 1)
    plain = plain.select(*columns)
    if spill is None:
        yield from plain.toArrow().to_batches(max_chunksize=2048)
        return
    try:
        plain.write.parquet(spill)
        # The parts are numbered in the order of the rows.
        for name in sorted(name for name in os.listdir(spill) if name.endswith(".parquet")):
            yield from pq.ParquetFile(os.path.join(spill, name)).iter_batches(batch_size=2048)
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def file_view(session, view, path, options):
    """Makes the view of a file or folder that a statement reads."""
    given = {name.lower(): value for name, value in options.items()}
    form = given.pop("format", "") or os.path.splitext(path)[1].lstrip(".")
    if not form:
        raise SqlError("CF_FILE_FORMAT_NOT_SPECIFIED", "42000", "Say the format of the files by format => '...'.")
    reader = session.read.format(form)
    schema = given.pop("schema", None)
    if schema is not None:
        reader = reader.schema(schema)
    elif form.lower() == "csv":
        reader = reader.option("inferSchema", given.pop("inferschema", "true"))
    if os.path.isdir(path):
        reader = reader.option("recursiveFileLookup", "true")
    for name, value in given.items():
        reader = reader.option(name, value)
    reader.load(path).createOrReplaceTempView(view)

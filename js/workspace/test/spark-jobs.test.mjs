// Tasks that use Apache Spark: their session is on the workspace's own Spark.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME, jobsOf } from "./jobs-client.mjs";
import { needs } from "./python.mjs";
import { sqlClient, start } from "./support.mjs";

const CONNECT = needs(["pyspark", "sqlglot", "pyarrow", "grpc", "grpc_status", "pandas", "zstandard"], { java: true });

test("Spark in tasks of jobs", CONNECT, async (t) => {
  const workspace = await start(t, { sql: "spark" });
  const { rows } = sqlClient(workspace);
  const { file, put, run } = jobsOf(workspace);
  await rows("CREATE CATALOG lake");
  await rows("CREATE SCHEMA lake.lsp");
  await rows("CREATE VOLUME main.default.raw");
  await rows("CREATE TABLE lake.lsp.diagnostics (path STRING, code STRING, line INT)");
  await rows("INSERT INTO lake.lsp.diagnostics VALUES ('a.py', 'E501', 1), ('a.py', 'F401', 2), ('b.py', 'F841', 3)");

  await put("etl", `
from pyspark.sql import functions as F
kept = spark.table("lake.lsp.diagnostics").where(~F.col("code").isin("E501", "I001"))
kept.withColumn("line", F.col("line") + 1).write.mode("overwrite").saveAsTable("main.default.kept")
kept.createOrReplaceTempView("kept_view")
joined = spark.sql("SELECT v.path, k.line FROM kept_view AS v JOIN main.default.kept AS k ON v.path = k.path ORDER BY k.line")
spark.sql("CREATE OR REPLACE TABLE main.default.counts AS SELECT code, count(*) AS n FROM lake.lsp.diagnostics WHERE code <> :skip GROUP BY code", args={"skip": "E501"})
counts = spark.sql("SELECT code, n FROM main.default.counts ORDER BY code")
dbutils.notebook.exit(str([tuple(row) for row in joined.collect()]) + str(counts.dtypes) + str([row.n for row in counts.collect()]))`);
  await file("script.py", `
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[*]").appName("x").getOrCreate()
from pyspark.sql.functions import udf
spark.createDataFrame([(1, "a"), (2, "b")], "id INT, name STRING").write.mode("overwrite").parquet("/Volumes/main/default/raw/rows")
frame = spark.read.parquet("/Volumes/main/default/raw/rows").select(udf(lambda name: name.upper(), "string")("name").alias("name"))
print(sorted(row.name for row in frame.collect()))`);
  const seen = await run([
    { task_key: "etl", notebook_task: { notebook_path: `${HOME}/etl` } },
    { task_key: "script", spark_python_task: { python_file: `${HOME}/script.py` } },
  ]);

  await t.test("a notebook reads and writes tables of Unity Catalog, by DataFrames and by SQL", async () => {
    assert.equal(seen.outputs.etl.error, undefined, seen.outputs.etl.error_trace);
    assert.equal(seen.outputs.etl.notebook_output.result, "[('a.py', 3), ('b.py', 4)][('code', 'string'), ('n', 'bigint')][1, 1]");
    assert.deepEqual(await rows("SELECT * FROM main.default.kept ORDER BY line"), [["a.py", "F401", "3"], ["b.py", "F841", "4"]]);
  });

  await t.test("a program that builds a session gets the same, with the files of volumes", () => {
    assert.equal(seen.outputs.script.error, undefined, seen.outputs.script.error_trace);
    assert.match(seen.outputs.script.logs, /\['A', 'B'\]\n$/);
  });
});

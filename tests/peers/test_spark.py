"""Training sets and predictors over tables on Apache Spark, which runs the very statements that are sent.

Lakelet's side is `tables.mjs`; a statement reaches Spark through `statement_server.py` as it is.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import dspy
from statement_server import StatementServer, imported_file
from table_model import ai_query

try:
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import col
except ImportError:
    SparkSession = None

HERE = Path(__file__).parent
WHY_NOT = "there is no java" if shutil.which("java") is None else "there is no pyspark" if SparkSession is None else None
TABLE = "spark_catalog.default.{}".format


def as_sent(value):
    """A value as `tables.mjs` reads it."""
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    if isinstance(value, (list, tuple)):
        return [as_sent(item) for item in value]
    if isinstance(value, dict):
        return {key: as_sent(item) for key, item in value.items()}
    return value


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Spark(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["PYSPARK_PYTHON"] = sys.executable
        cls.folder = Path(tempfile.mkdtemp(prefix="lakelet-spark-"))
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.warehouse.dir": str(cls.folder / "warehouse"),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "1",
        }
        builder = SparkSession.builder.master("local[1]").appName("lakelet-peers")
        for name, value in settings.items():
            builder = builder.config(name, value)
        cls.spark = builder.getOrCreate()
        cls.spark.sparkContext.setLogLevel("OFF")
        cls.spark.udf.register("ai_query", ai_query, "struct<result: string, errorMessage: string>")
        cls.server = StatementServer(cls.spark)
        cls.lakelet = subprocess.Popen(["node", str(HERE / "tables.mjs"), cls.server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @classmethod
    def tearDownClass(cls):
        cls.lakelet.stdin.close()
        cls.lakelet.wait(10)
        cls.lakelet.stdout.close()
        cls.server.close()
        cls.spark.stop()
        shutil.rmtree(cls.folder)

    def answer(self, what, **given):
        self.lakelet.stdin.write(json.dumps({"do": what, **given}) + "\n")
        self.lakelet.stdin.flush()
        return json.loads(self.lakelet.stdout.readline())

    def do(self, what, **given):
        answer = self.answer(what, **given)
        self.assertNotIn("error", answer, answer)
        return answer["ok"]

    def table(self, name, schema, rows):
        self.spark.sql(f"DROP TABLE IF EXISTS {TABLE(name)}")
        self.spark.createDataFrame(rows, schema).write.format("parquet").saveAsTable(TABLE(name))
        return TABLE(name)

    # ---- the pipeline of the case study

    def diagnostics(self):
        schema = "file_path string, message string, code string, codeAction struct<title: string>, `range` struct<start: struct<line: int>>, content string"
        at = lambda line: {"start": {"line": line}}  # noqa: E731
        rows = [
            ("a.py", "'os' imported but unused", "F401", None, at(0), "import os\n"),
            ("b.py", "line too long", "E501", None, at(3), "x = 1"),
            ("c.py", "imports out of order", "I001", None, at(1), "import b\nimport a"),
            ("d.py", "undefined name \"y\"", "F821", {"title": "define it"}, at(2), "y"),
            ("e.py", "it's: \\broken\n«é»", "SyntaxError", None, at(7), 'print("\\n\t\\")'),
            ("f.py", "nothing is known", None, None, at(4), "pass"),
            ("g.py", "no line", "F822", None, None, None),
        ]
        return self.table("lsp_diagnostics", schema, rows)

    def of_the_study(self, table):
        """The study's own code on the same rows, mended where it does not run:

        - it reads a table, where `format("bigquery")` needs a connector;
        - `selectExpr` for `select`, which takes `range.start.line as error_line` for the name of a column;
        - rows are collected to be made examples: `rdd.map(row_to_example).toDF()` finds no schema in a `dspy.Example`.
        """
        diagnostics_df = self.spark.table(table)
        processed_df = diagnostics_df.filter(
            (col("codeAction").isNull()) &
            (~col("code").isin(["E501", "I001"]))
        ).selectExpr(
            "file_path",
            "message",
            "code",
            "range.start.line as error_line",
            "content"
        )

        def row_to_example(row):
            return dspy.Example(
                code_file=row.content,
                error_line=row.error_line,
                error_message=f"{row.code}: {row.message}"
            ).with_inputs("code_file", "error_line", "error_message")

        return [row_to_example(row) for row in processed_df.collect()]

    def test_a_training_set_is_that_of_the_studys_own_code(self):
        table = self.diagnostics()
        expected = [example.toDict() for example in self.of_the_study(table)]
        self.assertEqual(len(expected), 3)
        processed = self.do("diagnostics", **{"from": table})
        stored = self.do("create", selection=processed, output={"table": TABLE("trainset")})
        self.assertEqual(self.server.statements[-1], (
            "CREATE TABLE `spark_catalog`.`default`.`trainset` AS SELECT `content` AS `code_file`, `error_line` AS `error_line`, "
            "CASE WHEN `code` IS NULL THEN `message` ELSE concat(`code`, ': ', `message`) END AS `error_message` FROM "
            "(SELECT `file_path` AS `file_path`, `message` AS `message`, `code` AS `code`, `range`.`start`.`line` AS `error_line`, "
            "`content` AS `content` FROM `spark_catalog`.`default`.`lsp_diagnostics` WHERE `codeAction` IS NULL AND "
            "(`code` IS NOT NULL AND `code` NOT IN (:lakelet_0, :lakelet_1)))"
        ))
        key = lambda example: str(example)  # noqa: E731
        self.assertEqual(sorted(self.do("examples", selection=stored), key=key), sorted(expected, key=key))
        # Parquet files, and the rows added to a table that is there.
        files = self.do("create", selection=processed, output={"parquet": str(self.folder / "out it's")})
        self.assertEqual(sorted(self.do("examples", selection=files), key=key), sorted(expected, key=key))
        self.do("create", selection=processed, output={"table": TABLE("trainset"), "mode": "append"})
        self.assertEqual(len(self.do("examples", selection=stored)), 6)
        refused = self.answer("create", selection=processed, output={"table": TABLE("trainset")})
        self.assertIn("already exists", refused["error"]["message"])
        self.spark.sql(f"DROP TABLE {TABLE('trainset')}")

    def test_diagnostics_without_a_code_are_kept_when_they_are_to_be(self):
        processed = self.do("diagnostics", withoutCode="keep", **{"from": self.diagnostics()})
        kept = self.do("examples", selection=processed)
        self.assertEqual({row["file_path"] for row in kept}, {"a.py", "e.py", "f.py", "g.py"})
        stored = self.do("create", selection=processed, output={"table": TABLE("kept")})
        messages = {row["error_message"] for row in self.do("examples", selection=stored)}
        self.assertIn("nothing is known", messages)

    def test_a_job_runs_the_same_statement(self):
        processed = self.do("diagnostics", **{"from": self.diagnostics()})
        output = {"parquet": str(self.folder / "by job")}
        started = self.do("submit", selection=processed, output=output, path="/Users/me/set.py")
        self.assertEqual(started["runId"], len(self.server.runs))
        self.assertEqual(self.server.runs[-1], {
            "run_name": "training-set",
            "tasks": [{"task_key": "query", "spark_python_task": {"python_file": "/Users/me/set.py", "source": "WORKSPACE"}, "environment_key": "default"}],
            "environments": [{"environment_key": "default", "spec": {"environment_version": "4"}}],
        })
        exec(compile(imported_file(self.server.files["last"]), "set.py", "exec"), {"__name__": "__main__"})
        key = lambda example: str(example)  # noqa: E731
        self.assertEqual(
            sorted(self.do("examples", selection=started["selection"]), key=key), sorted(self.do("examples", selection=processed), key=key)
        )

    # ---- selections

    def test_conditions_and_names_are_what_they_say(self):
        name = "`odd ``na.me`"
        self.spark.sql(
            f"CREATE OR REPLACE TEMPORARY VIEW {name} AS SELECT * FROM VALUES ('it\\'s', 1, 0.5D, named_struct('p q', true)), "
            "('q\"\\\\', 2, NULL, NULL), (NULL, 3, 2.0D, NULL) AS t(`a b.c`, n, x, s)"
        )
        fields = {"n": "n"}
        for where, expected in [
            ([], [1, 2, 3]),
            ([{"column": "`a b.c`", "value": "it's"}], [1]),
            ([{"column": "`a b.c`", "operator": "<>", "value": "it's"}], [2]),
            ([{"column": "`a b.c`", "operator": "<>", "value": "it's", "nulls": "keep"}], [2, 3]),
            ([{"column": "`a b.c`", "operator": "in", "value": ["q\"\\", "it's"]}], [1, 2]),
            ([{"column": "`a b.c`", "operator": "not in", "value": ["q\"\\"], "nulls": "keep"}], [1, 3]),
            ([{"column": "`a b.c`", "operator": "like", "value": "it%"}], [1]),
            ([{"column": "x", "operator": ">=", "value": 0.5}, {"column": "n", "operator": "<", "value": 3}], [1]),
            ([{"column": "x", "operator": "is null"}], [2]),
            ([{"column": "x", "operator": "is not null"}], [1, 3]),
            ([{"column": "s.`p q`", "value": True}], [1]),
            ([{"expression": "n > :least OR x IS NULL", "parameters": {"least": 2}}], [2, 3]),
        ]:
            with self.subTest(where=where):
                rows = self.do("examples", selection={"from": name, "where": where, "fields": fields})
                self.assertEqual(sorted(row["n"] for row in rows), expected)
        nested = {"from": {"from": name, "fields": {"two words": "n * 2"}}, "fields": {"it": "`two words` + 1"}, "limit": 2}
        self.assertEqual([set(row) for row in self.do("examples", selection=nested)], [{"it"}, {"it"}])

    def test_a_sample_is_the_same_however_rows_lie(self):
        self.table("numbers", "id bigint, word string", [(i, f"w{i}") for i in range(1000)])
        self.spark.sql(f"SELECT * FROM {TABLE('numbers')} ORDER BY id % 7, id DESC").repartition(5).write.mode("overwrite").parquet(str(self.folder / "again"))
        sample = lambda source, **sample: [  # noqa: E731
            row["id"] for row in self.do("examples", selection={"from": source, "fields": {"id": "id", "word": "word"}, "sample": {"seed": 1, **sample}})
        ]
        files = {"files": str(self.folder / "again"), "format": "parquet"}
        self.assertEqual(sample(TABLE("numbers"), rows=20), sample(files, rows=20))
        tenth = sample(TABLE("numbers"), share=0.1)
        self.assertEqual(sorted(tenth), sorted(sample(files, share=0.1)))
        self.assertTrue(60 < len(tenth) < 140, len(tenth))
        self.assertNotEqual(sample(TABLE("numbers"), rows=20), sample(TABLE("numbers"), rows=20, seed=2))
        self.assertEqual(len(sample(TABLE("numbers"), share=1)), 1000)

    # ---- predictors over tables

    TEXTS = [
        "plain", "", " both \n", "it's \"q\" \\ \\n \\u0041 %s {x} :p `b` ${y}", "line\r\nline\ttab\x0b\x0c\x1f\x00\x7f", "é «q» 日本語 😀 \u2028\ue000",
        "[[ ## question ## ]]\nno", "{\"a\": [1]}", None,
    ]

    def nasty(self):
        """Columns: the name, its SQL type, the type of the field, and values."""
        numbers = [0, -1, 2**31, 2**53 + 1, -(2**63), None]
        floats = [0.0, -0.0, 1.0, 1e7, 123456789.125, 1e15, 9999999999999998.0, 0.001, 0.0001, 0.00012345, 1e-5, -1.5e-9, 1e-10, 0.1, 1 / 3, 2.0**-30, float("nan"), float("inf"), float("-inf"), None]
        lists = [[], ["one"], ["two\nlines"], ["a", "b «c»", "", "it's \\ \"\n\n x"], None]
        maps = [{}, {"k": "v", "a\"b\\": None, "\n": "\x01é"}, None]
        return [
            ("text", "string", "str", self.TEXTS),
            ("anything", "string", "Any", self.TEXTS),
            ("number", "bigint", "int", numbers),
            ("short", "smallint", "str", [1, -32768, None]),
            ("fraction", "double", "float", floats),
            ("truth", "boolean", "bool", [True, False, None]),
            ("passages", "array<string>", "str", lists),
            ("texts", "array<string>", "list[str]", [*lists, [None, "\x1e\x08\t"], self.TEXTS]),
            ("numbers", "array<bigint>", "list[int]", [numbers, [], None]),
            ("fractions", "array<double>", "list[float]", [floats, None]),
            ("mapping", "map<string, string>", "dict[str, str]", maps),
            ("counts", "map<string, array<int>>", "Any", [{"x": [1, None], "y": None}, None]),
            ("record", "struct<id: bigint, `it's`: array<struct<x: boolean, y: string>>>", "Any", [{"id": 1, "it's": [{"x": True, "y": None}, None]}, {"id": None, "it's": None}, None]),
        ]

    def of(self, fields, outputs=("answer",), **more):
        return {"fields": {"inputs": fields, "outputs": {name: "str" for name in outputs}}, "instructions": "Answer.", **more}

    def test_the_model_gets_what_the_adapter_sends(self):
        columns = self.nasty()
        longest = max(len(values) for *_, values in columns)
        rows = [(i, *(values[i % len(values)] for *_, values in columns)) for i in range(longest)]
        # A map keeps the order of its entries when it is made of them by Spark.
        entries = lambda value: list(value.items()) if isinstance(value, dict) and not "id" in value else value  # noqa: E731
        made = {name: kind.replace("map<", "array<struct<key: ").replace(", ", ", value: ", 1) + ">" if kind.startswith("map") else kind for name, kind, *_ in columns}
        frame = self.spark.createDataFrame([tuple(map(entries, row)) for row in rows], ", ".join(["id int", *(f"{name} {kind}" for name, kind in made.items())]))
        frame.selectExpr("id", *(f"map_from_entries({name}) AS {name}" if kind.startswith("map") else name for name, kind, *_ in columns)).createOrReplaceTempView("nasty")
        table = "nasty"
        fields = {name: kind for name, _, kind, _ in columns}
        demo = {**{name: f"demo of {name}: \"it's\" \\ :x\n" for name in fields}, "answer": "so\n"}
        names = ["id", *fields]
        for adapter, kind in [("chat", "predict"), ("chat", "chainOfThought"), ("json", "predict"), ("xml", "predict"), ("baml", "chainOfThought")]:
            with self.subTest(adapter=adapter, kind=kind):
                demos = [{**demo, "reasoning": "because"}, {"text": "half", "answer": "x"}]
                of = self.of(fields, kind=kind, adapter=adapter, demos=demos, config={"temperature": 0.5, "max_tokens": 10, "stop": ["a", "b'"], "rollout_id": 1})
                answers = self.do("ask", of=of, options={"from": table, "fields": {name: name for name in names}, "endpoint": "echo", "request": "messages"})
                # What the endpoint says is no reply of the adapter's form, and stands in the error.
                said = [json.loads(answer["error"]["message"].split("LM Response: ")[1].split(" \n\nExpected")[0]) for answer in answers]
                expected = self.do("messages", of=of, rows=[as_sent(dict(zip(names, row))) for row in rows])
                by_text = lambda messages: messages[-1]["content"]  # noqa: E731
                self.assertEqual(sorted((it["messages"] for it in said), key=by_text), sorted(expected, key=by_text))
                self.assertEqual(said[0]["parameters"], {"temperature": 0.5, "max_tokens": 10, "stop": ["a", "b'"]})
                schema = json.loads(said[0]["format"])["json_schema"]["schema"] if said[0]["format"] else None
                self.assertEqual(schema is not None, adapter in ["json", "baml"])

    def test_what_cannot_be_shown_is_refused(self):
        of = self.of({"passages": "str", "score": "float"})
        ask = lambda select, **more: self.answer("ask", of=of, options={"from": self.view(select), "fields": {"passages": "passages", "score": "score"}, "endpoint": "echo", **more})  # noqa: E731
        marker = "<<CUSTOM-TYPE-START-IDENTIFIER>>[1]<<CUSTOM-TYPE-END-IDENTIFIER>>"
        for select, field in [
            ("SELECT array('a', NULL) AS passages, 0.5D AS score", "passages"),
            (f"SELECT '{marker}' AS passages, 0.5D AS score", "passages"),
            ("SELECT 'a' AS passages, 1e16D AS score", "score"),
        ]:
            with self.subTest(select=select):
                [row] = ask(select)["ok"]
                self.assertEqual((row["prediction"], row["error"]["code"], row["error"]["field"]), (None, "input", field))
        for kind in ["array(1)", "TIMESTAMP'2026-01-01'", "X'00'", "array(TIMESTAMP'2026-01-01')", "map(1, 'a')", "INTERVAL '1' DAY", "array(1.5)"]:
            with self.subTest(kind=kind):
                error = ask(f"SELECT {kind} AS passages, 0.5D AS score")["error"]
                self.assertEqual((error["code"], error["field"]), ("input", "passages"))
                self.assertIn("the column for the input `passages` is ", error["message"])
        self.assertEqual(ask("SELECT 1 AS other")["error"]["code"], "bad_request")

    def view(self, select):
        self.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW one AS {select}")
        return "one"

    def test_replies_are_read_by_the_adapter_and_what_fails_ends_nothing(self):
        good = "[[ ## reasoning ## ]]\nbecause\n\n[[ ## answer ## ]]\n{}\n\n[[ ## completed ## ]]"
        rows = [(1, good.format("Paris"), "paris"), (2, "no header", "x"), (3, "FAIL HTTP 429: slow down", "x"), (4, good.format("Rome"), "Milan"), (5, good.format("The Caf\u00e9!"), "cafe\u0301")]
        table = self.table("asked", "id int, reply string, wanted string", rows)
        options = {"from": table, "fields": {"id": "id", "reply": "reply", "wanted": "wanted"}, "endpoint": "copy"}
        of = self.of({"reply": "str"}, kind="chainOfThought")
        for output in [None, {"table": TABLE("answers")}, {"parquet": str(self.folder / "answers")}]:
            with self.subTest(output=output):
                answers = sorted(self.do("ask", of=of, options={**options, "output": output}), key=lambda row: row["example"]["id"])
                self.assertEqual([row["example"]["id"] for row in answers], [1, 2, 3, 4, 5])
                self.assertEqual(answers[0]["prediction"], {"reasoning": "because", "answer": "Paris"})
                self.assertEqual([(row.get("error") or {}).get("code") for row in answers], [None, "parse", "server", None, None])
                self.assertIn("HTTP 429: slow down", answers[2]["error"]["message"])
        scores = self.do("score", of=of, wanted="wanted", options={**options, "output": {"table": TABLE("answers"), "mode": "append"}})
        self.assertEqual(scores["counted"], {"score": 40, "margin": 32.01, "rows": 10, "failed": 4, "onEngine": 4})
        self.assertEqual(scores["scored"], {**scores["counted"], "onEngine": 0})
        self.spark.sql(f"DROP TABLE {TABLE('answers')}")

    def test_exact_matches_are_counted_as_the_metric_has_them(self):
        """Whatever replies and answers hold, SQL and the metric agree on those that SQL decides."""
        draw = random.Random(5)
        words = ["the", "The", "a", "an", "A", "Paris", "paris.", "_x_", "it's", "O'Neil-a", "5", "", "caf\u00e9", "\u00df", "[[ ##", "[[ ## x ## ]]", "\t", "  ", "\r", "\x0b"]
        text = lambda: draw.choice([" ", "\n", " ", ""]).join(draw.choice(words[:12] if draw.random() < 0.8 else words) for _ in range(draw.randint(0, 3)))  # noqa: E731
        heads = ["[[ ## reasoning ## ]]", "[[ ## answer ## ]]", "[[ ## completed ## ]]"]

        def reply(answer):
            parts = [heads[0], text(), heads[1], answer, heads[2]]
            if draw.random() < 0.3:
                parts[draw.randrange(5)] = draw.choice([*heads, text(), f" {heads[1]}", f"{heads[1]} {answer}", f"{answer} {heads[2]}"])
            if draw.random() < 0.2:
                parts.append(draw.choice(["", "\n \t", text(), "more"]))
            return draw.choice(["", "", "\n", "so "]) + draw.choice(["\n", "\n", "\n\n"]).join(parts)

        rows = []
        for i in range(1500):
            wanted = text()
            answer = draw.choice([wanted, wanted.upper(), f"the {wanted}!", text()])
            rows.append((i, reply(answer), wanted if draw.random() < 0.95 else None))
        table = self.table("replies", "id int, reply string, wanted string", rows)
        fields = {"id": "id", "reply": "reply", "wanted": "wanted"}
        output = {"table": TABLE("scored")}
        scores = self.do("score", of=self.of({"reply": "str"}, kind="chainOfThought"), wanted="wanted", options={"from": table, "fields": fields, "endpoint": "copy", "output": output})
        counted, scored = scores["counted"], scores["scored"]
        self.assertEqual({**counted, "onEngine": 0}, scored)
        self.assertGreater(counted["onEngine"], 500)
        self.assertLess(counted["onEngine"], counted["rows"])
        self.assertTrue(20 < scored["score"] < 90, scored)
        self.spark.sql(f"DROP TABLE {TABLE('scored')}")

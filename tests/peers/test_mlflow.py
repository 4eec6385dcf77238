"""MLflow's own client, in both of its dialects, pointed at the local workspace; each reads what the other wrote."""

import logging
import os
import tempfile
import unittest
import warnings
from pathlib import Path

os.environ.update({
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
})

import mlflow
import pandas
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

HOST = os.environ["WORKSPACE_URL"]
CODE = """
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return [f"echo {question}" for question in model_input["question"]]

mlflow.models.set_model(Echo())
"""


class Dialect:
    """What a client does in either dialect. A subclass says where it is pointed, and how experiments are called there."""

    tracking, registry, experiment, token = "", "", "", {}
    aliases = True

    @classmethod
    def setUpClass(cls):
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        os.environ.update(cls.token)
        mlflow.set_tracking_uri(cls.tracking)
        mlflow.set_registry_uri(cls.registry)

    @classmethod
    def tearDownClass(cls):
        for name in cls.token:
            del os.environ[name]

    def setUp(self):
        warnings.simplefilter("ignore")
        self.client = MlflowClient()
        name = f"{self.experiment}-{self.id().rpartition('.')[2]}"
        self.experiment_id = mlflow.set_experiment(name).experiment_id

    def test_logs_a_run(self):
        with mlflow.start_run(run_name="r1") as run:
            mlflow.log_params({"model": "local-chat", "k": 5})
            mlflow.log_metrics({"accuracy": 0.9, "avg_latency_ms": 12.5}, step=0)
            mlflow.set_tag("stage", "test")
            mlflow.log_dict({"modules": ["Predict"]}, "pipeline_config.json")
            mlflow.log_table({"question": ["q"], "answer": ["a"]}, "tables/sample predictions.json")
            dataset = mlflow.data.from_pandas(pandas.DataFrame({"question": ["q"]}), name="devset")
            mlflow.log_input(dataset, context="eval")
        found = self.client.get_run(run.info.run_id)
        self.assertEqual(found.info.status, "FINISHED")
        self.assertEqual(found.data.params, {"model": "local-chat", "k": "5"})
        self.assertEqual(found.data.metrics, {"accuracy": 0.9, "avg_latency_ms": 12.5})
        self.assertEqual(found.data.tags["stage"], "test")
        self.assertEqual(found.inputs.dataset_inputs[0].dataset.name, "devset")
        self.assertEqual([f.path for f in self.client.list_artifacts(run.info.run_id)], ["pipeline_config.json", "tables"])
        self.assertEqual(mlflow.artifacts.load_dict(f"{found.info.artifact_uri}/pipeline_config.json"), {"modules": ["Predict"]})
        self.assertEqual(mlflow.load_table("tables/sample predictions.json", [run.info.run_id])["answer"].tolist(), ["a"])
        [searched] = self.client.search_runs([self.experiment_id], "metrics.accuracy > 0.5 and params.k = '5'")
        self.assertEqual(searched.info.run_id, run.info.run_id)

    def test_fails_a_run(self):
        with self.assertRaises(ZeroDivisionError), mlflow.start_run() as run:
            1 / 0
        self.assertEqual(self.client.get_run(run.info.run_id).info.status, "FAILED")

    def test_traces(self):
        with mlflow.start_span("ask", span_type="CHAIN") as span:
            span.set_inputs({"question": "hi"})
            with mlflow.start_span("model", span_type="CHAT_MODEL") as inner:
                inner.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5})
            span.set_outputs({"answer": "hello"})
        trace = mlflow.get_trace(span.trace_id)
        self.assertEqual([s.name for s in trace.data.spans], ["ask", "model"])
        self.assertEqual(trace.data.spans[1].parent_id, trace.data.spans[0].span_id)
        self.assertEqual(trace.data.spans[0].outputs, {"answer": "hello"})
        self.assertEqual(trace.info.token_usage["total_tokens"], 5)
        [found] = self.client.search_traces(locations=[self.experiment_id])
        self.assertEqual(found.info.trace_id, span.trace_id)
        self.client.set_trace_tag(span.trace_id, "by", "test")
        mlflow.log_feedback(trace_id=span.trace_id, name="correct", value=True)
        info = mlflow.get_trace(span.trace_id).info
        self.assertEqual(info.tags["by"], "test")
        self.assertEqual(info.assessments[0].name, "correct")

    def logged_model(self, **registered):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "echo.py")
            path.write_text(CODE)
            return mlflow.pyfunc.log_model(
                name="echo", python_model=str(path), input_example=pandas.DataFrame({"question": ["hi"]}), pip_requirements=["mlflow"], **registered
            )

    def test_logs_and_loads_a_model(self):
        info = self.logged_model()
        loaded = mlflow.pyfunc.load_model(info.model_uri)
        self.assertEqual(loaded.predict(pandas.DataFrame({"question": ["you"]})), ["echo you"])
        self.assertEqual(mlflow.get_logged_model(info.model_id).status, "READY")

    def test_registers_a_model(self):
        info = self.logged_model(registered_model_name=self.model)
        self.assertEqual(str(info.registered_model_version), "1")
        self.client.set_model_version_tag(self.model, "1", "by", "test")
        found = self.client.get_model_version(self.model, "1")
        self.assertEqual((str(found.version), found.status, found.tags), ("1", "READY", {"by": "test"}))
        loaded = mlflow.pyfunc.load_model(f"models:/{self.model}/1")
        self.assertEqual(loaded.predict(pandas.DataFrame({"question": ["me"]})), ["echo me"])
        if self.aliases:
            self.client.set_registered_model_alias(self.model, "champion", "1")
            self.assertEqual(self.client.get_model_version_by_alias(self.model, "champion").version, found.version)
            mlflow.pyfunc.load_model(f"models:/{self.model}@champion")
        [version] = self.client.search_model_versions(f"name='{self.model}'")
        self.assertEqual(str(version.version), "1")
        self.client.delete_registered_model(self.model)
        with self.assertRaises(MlflowException) as raised:
            self.client.get_registered_model(self.model)
        self.assertEqual(raised.exception.error_code, "RESOURCE_DOES_NOT_EXIST")


class OpenSource(Dialect, unittest.TestCase):
    tracking = registry = HOST
    token = {"MLFLOW_TRACKING_TOKEN": "dapi-peers"}
    experiment = "peers"
    model = "dspy-echo"


class OpenSourceBelowMlflow(OpenSource):
    """The tracking server under its own name, as the page has it."""

    tracking = registry = f"{HOST}/mlflow"
    experiment = "below"
    model = "dspy-below"


class Databricks(Dialect, unittest.TestCase):
    tracking, registry = "databricks", "databricks"
    token = {"DATABRICKS_HOST": HOST, "DATABRICKS_TOKEN": "dapi-peers"}
    experiment = "/Users/local-user@example.com/peers"
    model = "dspy-databricks"
    # MLflow's client refuses them for the registry of a workspace.
    aliases = False

    def test_refuses_a_name_that_is_no_path(self):
        with self.assertRaisesRegex(MlflowException, "absolute path"):
            self.client.create_experiment("peers")


class DatabricksUnityCatalog(Databricks):
    """Models in the registry of Unity Catalog."""

    registry = "databricks-uc"
    experiment = "/Users/local-user@example.com/unity"
    model = "main.ml.dspy_echo"
    aliases = True

    def test_needs_three_names(self):
        with self.assertRaisesRegex(MlflowException, "three parts"):
            self.client.create_registered_model("dspy-echo.x")


class BothDialects(unittest.TestCase):
    def test_each_reads_what_the_other_wrote(self):
        os.environ.update({**OpenSource.token, **Databricks.token})
        there = MlflowClient("databricks")
        experiment = there.create_experiment("/Users/local-user@example.com/both")
        run = there.create_run(experiment)
        there.log_dict(run.info.run_id, {"k": 1}, "a b/config.json")
        self.assertTrue(run.info.artifact_uri.startswith("dbfs:/databricks/mlflow-tracking/"))
        here = MlflowClient(HOST)
        found = here.get_run(run.info.run_id)
        self.assertTrue(found.info.artifact_uri.startswith("mlflow-artifacts:/"))
        self.assertEqual([f.path for f in here.list_artifacts(run.info.run_id, "a b")], ["a b/config.json"])
        here.log_dict(run.info.run_id, {"k": 2}, "a b/other.json")
        with tempfile.TemporaryDirectory() as folder:
            mlflow.set_tracking_uri("databricks")
            other = Path(there.download_artifacts(run.info.run_id, "a b/other.json", folder))
            self.assertEqual(other.read_text().replace(" ", "").replace("\n", ""), '{"k":2}')


del Dialect

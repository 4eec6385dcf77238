"""Databricks' SDK for Python, pointed at the local workspace: files, notebooks, secrets, jobs and pipelines."""

import base64
import hashlib
import io
import os
import tempfile
import unittest
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import AlreadyExists, InvalidParameterValue, NotFound, OperationFailed, ResourceDoesNotExist
from databricks.sdk.service import compute, jobs, pipelines, sql
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language

HOST = os.environ["WORKSPACE_URL"]
VOLUME = "/Volumes/main/default/peer_files"
FOLDER = "/Users/local-user@example.com/peer_jobs"


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Small files are big enough to be sent in parts.
        config = Config(host=HOST, token="dapi-peers", files_ext_multipart_upload_min_stream_size=1 << 20)
        cls.client = WorkspaceClient(config=config)


class FilesAndSecrets(Client):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client.volumes.create("main", "default", "peer_files", VolumeType.MANAGED)

    @classmethod
    def tearDownClass(cls):
        cls.client.volumes.delete("main.default.peer_files")

    def test_files_small_and_in_parts(self):
        files = self.client.files
        files.upload(f"{VOLUME}/a b/ü.txt", io.BytesIO(b"hello volume"), overwrite=True)
        self.assertEqual(files.download(f"{VOLUME}/a b/ü.txt").contents.read(), b"hello volume")
        big = hashlib.shake_256(b"seed").digest(12 << 20)
        files.upload(f"{VOLUME}/big.bin", io.BytesIO(big))
        self.assertEqual(files.download(f"{VOLUME}/big.bin").contents.read(), big)
        with tempfile.TemporaryDirectory() as folder:
            files.download_to(f"{VOLUME}/big.bin", f"{folder}/big.bin", use_parallel=True)
            self.assertEqual(Path(folder, "big.bin").read_bytes(), big)
            files.upload_from(f"{VOLUME}/again.bin", f"{folder}/big.bin")
        self.assertEqual(files.get_metadata(f"{VOLUME}/again.bin").content_length, len(big))
        with self.assertRaises(AlreadyExists):
            files.upload(f"{VOLUME}/big.bin", io.BytesIO(b"x"))
        with self.assertRaises(NotFound):
            files.download(f"{VOLUME}/nope")

    def test_directories(self):
        files = self.client.files
        files.create_directory(f"{VOLUME}/folder/deep")
        files.get_directory_metadata(f"{VOLUME}/folder")
        self.assertEqual([(entry.name, entry.is_directory) for entry in files.list_directory_contents(f"{VOLUME}/folder")], [("deep", True)])
        with self.assertRaises(InvalidParameterValue) as refused:
            files.delete_directory(f"{VOLUME}/folder")
        self.assertEqual(refused.exception.get_error_details().error_info.reason, "FILES_API_DIRECTORY_IS_NOT_EMPTY")
        files.delete_directory(f"{VOLUME}/folder/deep")
        files.delete_directory(f"{VOLUME}/folder")

    def test_secrets(self):
        secrets = self.client.secrets
        secrets.create_scope("peer_scope")
        secrets.put_secret("peer_scope", "key", string_value="value")
        self.assertEqual(base64.b64decode(secrets.get_secret("peer_scope", "key").value), b"value")
        self.assertEqual([secret.key for secret in secrets.list_secrets("peer_scope")], ["key"])
        secrets.delete_scope("peer_scope")


class JobsAndPipelines(Client):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client.workspace.mkdirs(FOLDER)

    @classmethod
    def tearDownClass(cls):
        cls.client.workspace.delete(FOLDER, recursive=True)

    def notebook(self, name, source, language=Language.PYTHON):
        content = base64.b64encode(source.encode()).decode()
        self.client.workspace.import_(f"{FOLDER}/{name}", content=content, format=ImportFormat.SOURCE, language=language, overwrite=True)
        return jobs.NotebookTask(notebook_path=f"{FOLDER}/{name}")

    def file(self, name, text):
        self.client.workspace.upload(f"{FOLDER}/{name}", io.BytesIO(text.encode()), overwrite=True, format=ImportFormat.AUTO)
        return f"{FOLDER}/{name}"

    def test_notebooks_and_files(self):
        workspace = self.client.workspace
        self.notebook("n", "print(1)")
        path = self.file("m.txt", "text")
        self.assertEqual(workspace.download(f"{FOLDER}/n").read(), b"# Databricks notebook source\nprint(1)")
        self.assertEqual(workspace.download(path, format=ExportFormat.AUTO).read(), b"text")
        self.assertEqual(workspace.get_status(f"{FOLDER}/n").language, Language.PYTHON)
        self.assertIn(path, [found.path for found in workspace.list(FOLDER, recursive=True)])

    def test_a_one_time_run_with_two_tasks(self):
        first = self.notebook("extract", "dbutils.jobs.taskValues.set('rows', 3)\ndbutils.notebook.exit(dbutils.widgets.get('table'))")
        first.base_parameters = {"table": "main.rag.diag"}
        script = self.file("train.py", "import sys\nfrom databricks.sdk import WorkspaceClient\nprint(sys.argv[1:], WorkspaceClient().current_user.me().user_name)")
        second = jobs.SparkPythonTask(python_file=f"/Workspace{script}", parameters=["--rows", "{{tasks.extract.values.rows}}"])
        environment = jobs.JobEnvironment(environment_key="default", spec=compute.Environment(environment_version="4", dependencies=["dspy"]))
        run = self.client.jobs.submit(
            run_name="two",
            environments=[environment],
            tasks=[
                jobs.SubmitTask(task_key="extract", notebook_task=first),
                jobs.SubmitTask(task_key="train", depends_on=[jobs.TaskDependency("extract")], environment_key="default", spark_python_task=second),
            ],
        ).result()
        tasks = {task.task_key: task.run_id for task in run.tasks}
        self.assertEqual(self.client.jobs.get_run_output(tasks["extract"]).notebook_output.result, "main.rag.diag")
        self.assertEqual(self.client.jobs.get_run_output(tasks["train"]).logs, "['--rows', '3'] local-user@example.com\n")

    def test_a_run_that_fails(self):
        with self.assertRaisesRegex(OperationFailed, "Task t failed"):
            self.client.jobs.submit(tasks=[jobs.SubmitTask(task_key="t", notebook_task=self.notebook("bad", "1 / 0"))]).result()
        failed = next(self.client.jobs.list_runs(completed_only=True, expand_tasks=True))
        output = self.client.jobs.get_run_output(failed.tasks[0].run_id)
        self.assertEqual(output.error, "ZeroDivisionError: division by zero")
        self.assertIn("Traceback", output.error_trace)
        with self.assertRaises(ResourceDoesNotExist):
            self.client.jobs.get_run(1)

    def test_a_job(self):
        task = jobs.Task(task_key="t", notebook_task=self.notebook("param", "dbutils.notebook.exit(dbutils.widgets.get('p'))"))
        job = self.client.jobs.create(name="nightly", tasks=[task], parameters=[jobs.JobParameterDefinition(name="p", default="1")])
        run = self.client.jobs.run_now(job.job_id, job_parameters={"p": "2"}).result()
        self.assertEqual(self.client.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result, "2")
        self.client.jobs.update(job.job_id, new_settings=jobs.JobSettings(name="daily"))
        self.assertEqual([found.settings.name for found in self.client.jobs.list(name="daily")], ["daily"])
        long = jobs.SubmitTask(task_key="t", notebook_task=self.notebook("long", "import time; time.sleep(3600)"))
        waiter = self.client.jobs.submit(tasks=[long])
        self.assertEqual(self.client.jobs.cancel_run_and_wait(waiter.run_id).state.result_state, jobs.RunResultState.CANCELED)
        self.client.jobs.delete(job.job_id)
        with self.assertRaises(ResourceDoesNotExist):
            self.client.jobs.get(job.job_id)

    def test_a_pipeline_and_a_query_of_its_table(self):
        self.file("numbers.sql", "CREATE OR REFRESH MATERIALIZED VIEW peer_numbers AS SELECT id FROM range(5)")
        library = pipelines.PipelineLibrary(file=pipelines.FileLibrary(path=f"{FOLDER}/numbers.sql"))
        made = self.client.pipelines.create(name="peer", catalog="main", schema="default", libraries=[library], serverless=True)
        query = sql.CreateQueryRequestQuery(display_name="count", warehouse_id="local", query_text="SELECT count(*) FROM main.default.peer_numbers")
        query = self.client.queries.create(query=query)
        tasks = [
            jobs.SubmitTask(task_key="make", pipeline_task=jobs.PipelineTask(pipeline_id=made.pipeline_id)),
            jobs.SubmitTask(task_key="count", depends_on=[jobs.TaskDependency("make")], sql_task=jobs.SqlTask(warehouse_id="local", query=jobs.SqlTaskQuery(query_id=query.id))),
        ]
        run = self.client.jobs.submit(tasks=tasks).result()
        self.assertEqual(run.state.result_state, jobs.RunResultState.SUCCESS)
        self.assertEqual(self.client.pipelines.get(made.pipeline_id).latest_updates[0].state, pipelines.UpdateStateInfoState.COMPLETED)
        events = list(self.client.pipelines.list_pipeline_events(made.pipeline_id, filter="level='INFO'", max_results=10))
        self.assertIn("COMPLETED", events[0].message)
        self.client.queries.delete(query.id)
        self.client.pipelines.delete(made.pipeline_id)
        self.assertFalse(self.client.tables.exists("main.default.peer_numbers").table_exists)


if __name__ == "__main__":
    unittest.main()

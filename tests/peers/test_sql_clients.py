"""databricks-sdk running SQL and keeping Unity Catalog in the local workspace."""
import os
import unittest
import urllib.request
import warnings

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service import catalog
from databricks.sdk.service.sql import Disposition, Format, StatementParameterListItem, StatementState

WAREHOUSE = "local"


class Sql(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.client = WorkspaceClient(host=os.environ["WORKSPACE_URL"], token="dapi-peers", auth_type="pat")

    def rows(self, statement, **fields):
        reply = self.client.statement_execution.execute_statement(statement, WAREHOUSE, wait_timeout="50s", **fields)
        self.assertEqual(reply.status.state, StatementState.SUCCEEDED, reply.status.error)
        return reply.result.data_array or []

    def test_keeps_a_table(self):
        name = [StatementParameterListItem(name="t", value="main.default.sdk_docs")]
        self.rows("CREATE TABLE IF NOT EXISTS IDENTIFIER(:t) (id STRING NOT NULL, content STRING, metadata MAP<STRING,STRING>)", parameters=name)
        self.rows("ALTER TABLE IDENTIFIER(:t) SET TBLPROPERTIES ('delta.enableChangeDataFeed'='true')", parameters=name)
        self.rows("INSERT INTO main.default.sdk_docs VALUES ('1', 'a', map('k', 'v')), ('2', 'b', NULL)")
        values = [StatementParameterListItem(name="id", value="1"), StatementParameterListItem(name="n", value="5", type="INT")]
        self.assertEqual(self.rows("SELECT content, metadata, :n + 1 FROM sdk_docs WHERE id = :id", parameters=values), [["a", '{"k":"v"}', "6"]])
        table = self.client.tables.get("main.default.sdk_docs")
        self.assertEqual([(c.name, c.type_name.value, c.nullable) for c in table.columns], [("id", "STRING", False), ("content", "STRING", True), ("metadata", "MAP", True)])
        self.assertEqual(table.properties, {"delta.enableChangeDataFeed": "true"})
        self.assertTrue(self.client.tables.exists("main.default.sdk_docs").table_exists)
        self.assertIn("main.default.sdk_docs", [t.full_name for t in self.client.tables.list("main", "default", max_results=1)])
        self.client.tables.delete("main.default.sdk_docs")
        with self.assertRaises(NotFound):
            self.client.tables.get("main.default.sdk_docs")

    def test_reads_a_result_in_chunks(self):
        execution = self.client.statement_execution
        reply = execution.execute_statement("SELECT id, repeat('x', 100) AS r FROM range(100000)", WAREHOUSE, wait_timeout="50s")
        count, next_chunk = len(reply.result.data_array), reply.result.next_chunk_index
        while next_chunk is not None:
            chunk = execution.get_statement_result_chunk_n(reply.statement_id, next_chunk)
            count, next_chunk = count + len(chunk.data_array), chunk.next_chunk_index
        self.assertEqual(count, 100000)
        links = execution.execute_statement("SELECT 1 AS x, NULL AS y", WAREHOUSE, disposition=Disposition.EXTERNAL_LINKS, format=Format.CSV)
        with urllib.request.urlopen(links.result.external_links[0].external_link) as text:
            self.assertEqual(text.read(), b"x,y\r\n1,null\r\n")

    def test_cancels_and_fails(self):
        execution = self.client.statement_execution
        running = execution.execute_statement("SELECT count(*) FROM range(100000000000) t WHERE t.id % 7 = 3", WAREHOUSE, wait_timeout="0s")
        execution.cancel_execution(running.statement_id)
        self.assertEqual(execution.get_statement(running.statement_id).status.state, StatementState.CANCELED)
        failed = execution.execute_statement("SELECT * FROM bad_table", WAREHOUSE)
        self.assertEqual((failed.status.state, failed.status.sql_state, failed.status.error.error_code.value), (StatementState.FAILED, "42P01", "BAD_REQUEST"))

    def test_finds_the_warehouse(self):
        self.assertEqual([w.id for w in self.client.warehouses.list()], [WAREHOUSE])
        self.assertEqual(self.client.warehouses.start(WAREHOUSE).result().state.value, "RUNNING")

    def test_keeps_catalogs_schemas_volumes_functions_and_grants(self):
        client = self.client
        client.catalogs.create("sdk", comment="c", properties={"k": "v"})
        client.schemas.create("tools", "sdk")
        with self.assertRaises(BadRequest):
            client.schemas.create("tools", "sdk")
        self.assertEqual([s.full_name for s in client.schemas.list("sdk")], ["sdk.default", "sdk.tools"])
        client.volumes.create("sdk", "tools", "raw", catalog.VolumeType.MANAGED)
        self.assertEqual(client.volumes.read("sdk.tools.raw").volume_type, catalog.VolumeType.MANAGED)
        twice = catalog.CreateFunction(
            name="twice",
            catalog_name="sdk",
            schema_name="tools",
            input_params=catalog.FunctionParameterInfos(
                [catalog.FunctionParameterInfo(name="x", type_text="int", type_name=catalog.ColumnTypeName.INT, position=0, comment="a number")]
            ),
            data_type=catalog.ColumnTypeName.INT,
            full_data_type="INT",
            routine_body=catalog.CreateFunctionRoutineBody.SQL,
            routine_definition="x * 2",
            parameter_style=catalog.CreateFunctionParameterStyle.S,
            is_deterministic=True,
            sql_data_access=catalog.CreateFunctionSqlDataAccess.NO_SQL,
            is_null_call=False,
            security_type=catalog.CreateFunctionSecurityType.DEFINER,
            specific_name="twice",
        )
        client.functions.create(twice)
        self.assertEqual([f.full_name for f in client.functions.list("sdk", "tools")], ["sdk.tools.twice"])
        self.assertEqual(self.rows("SELECT sdk.tools.twice(:x)", parameters=[StatementParameterListItem(name="x", value="21", type="INT")]), [["42"]])
        client.grants.update("catalog", "sdk", changes=[catalog.PermissionsChange(principal="u", add=[catalog.Privilege.USE_CATALOG])])
        effective = client.grants.get_effective("function", "sdk.tools.twice").privilege_assignments
        self.assertEqual([(a.principal, a.privileges[0].inherited_from_name) for a in effective], [("u", "sdk")])
        client.registered_models.create(catalog_name="sdk", schema_name="tools", name="rag")
        self.assertEqual(client.registered_models.get("sdk.tools.rag").full_name, "sdk.tools.rag")
        client.registered_models.delete("sdk.tools.rag")
        client.catalogs.delete("sdk", force=True)
        with self.assertRaises(NotFound):
            client.catalogs.get("sdk")

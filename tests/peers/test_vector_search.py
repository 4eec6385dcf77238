"""The official clients of vector search at their work: endpoints, indexes of every kind, rows, queries."""
import os
import unittest
import warnings

from databricks.ai_search.client import AISearchClient
from databricks.ai_search.reranker import DatabricksReranker
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound
from databricks.sdk.service import aisearch
from databricks.sdk.service.vectorsearch import (
    CustomTag,
    DeltaSyncVectorIndexSpecRequest,
    DirectAccessVectorIndexSpec,
    EmbeddingSourceColumn,
    EmbeddingVectorColumn,
    EndpointType,
    PipelineType,
    VectorIndexType,
)

HOST = os.environ["WORKSPACE_URL"]
TABLE = "main.default.peer_docs"
ROWS = [
    {"id": "a", "text": "red apple pie", "kind": "food", "price": 3, "v": [1.0, 0.0, 0.0, 0.0] + [0.0] * 12},
    {"id": "b", "text": "green apple", "kind": "food", "price": 1, "v": [0.0, 1.0, 0.0, 0.0] + [0.0] * 12},
    {"id": "c", "text": "red chair", "kind": "thing", "price": 90, "v": [0.0, 0.0, 1.0, 0.0] + [0.0] * 12},
]
SCHEMA = {"id": "string", "text": "string", "kind": "string", "price": "int", "v": "array<float>"}


def sdk():
    return WorkspaceClient(host=HOST, token="dapi-peers", auth_type="pat")


def ai_search(**credentials):
    return AISearchClient(workspace_url=HOST, disable_notice=True, **(credentials or {"personal_access_token": "dapi-peers"}))


def search(index, **query):
    return index.similarity_search(disable_notice=True, **query)


def ids(reply):
    return [row[0] for row in reply["result"].get("data_array", [])]


class VectorSearch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        client = ai_search()
        cls.addClassCleanup(cls.clean)
        client.create_endpoint_and_wait("peer-standard", endpoint_type="STANDARD")
        client.create_endpoint_and_wait("peer-large", endpoint_type="STORAGE_OPTIMIZED")
        for endpoint, name in [("peer-standard", "main.peer.items"), ("peer-large", "main.peer.large")]:
            index = client.create_direct_access_index(endpoint, name, "id", 16, "v", SCHEMA)
            index.wait_until_ready()
            assert index.upsert(ROWS) == {"status": "SUCCESS", "result": {"success_row_count": 3}}

    @classmethod
    def clean(cls):
        client = ai_search()
        for endpoint in ["peer-standard", "peer-large"]:
            for index in client.list_indexes(endpoint).get("vector_indexes", []):
                client.delete_index(endpoint, index["name"])
            client.delete_endpoint(endpoint)

    def test_endpoints_change_stop_and_start(self):
        client = sdk().vector_search_endpoints
        self.assertEqual(client.get_endpoint("peer-large").endpoint_type, EndpointType.STORAGE_OPTIMIZED)
        client.create_endpoint("peer-brief", EndpointType.STANDARD).result()
        self.assertEqual(client.patch_endpoint("peer-brief", target_qps=50).scaling_info.requested_target_qps, 50)
        client.update_endpoint_custom_tags("peer-brief", [CustomTag(key="team", value="search")])
        self.assertEqual(client.get_endpoint("peer-brief").custom_tags[0].value, "search")
        self.assertEqual(client.stop_endpoint("peer-brief").endpoint_status.state.value, "STOPPED")
        self.assertEqual(client.start_endpoint("peer-brief").endpoint_status.state.value, "ONLINE")
        client.delete_endpoint("peer-brief")
        self.assertNotIn("peer-brief", [endpoint.name for endpoint in client.list_endpoints()])

    def test_filters_of_standard_endpoints(self):
        index = ai_search().get_index("peer-standard", "main.peer.items")
        found = lambda filters: sorted(ids(search(index, columns=["id"], query_vector=ROWS[0]["v"], filters=filters)))
        self.assertEqual(found({"kind": "food", "price <": 3}), ["b"])
        self.assertEqual(found({"kind NOT": "food"}), ["c"])
        with self.assertRaisesRegex(Exception, "filters_json"):
            found("price < 3")

    def test_filters_of_storage_optimized_endpoints(self):
        index = ai_search().get_index("peer-large", "main.peer.large")
        found = lambda filters: sorted(ids(search(index, columns=["id"], query_vector=ROWS[0]["v"], filters=filters)))
        self.assertEqual(found('kind = "food" AND NOT price >= 3'), ["b"])
        self.assertEqual(found("kind IN ('food', 'tool') OR text LIKE '%chair'"), ["a", "b", "c"])
        self.assertEqual(found("price BETWEEN 2 AND 5"), ["a"])
        with self.assertRaisesRegex(Exception, "filter_string"):
            found({"kind": "food"})

    def test_hybrid_facets_order_and_debug(self):
        index = ai_search().get_index("peer-standard", "main.peer.items")
        query = dict(columns=["id", "price"], query_vector=ROWS[0]["v"], query_text="apple", query_type="hybrid")
        found = search(index, facets=["kind", "price BUCKETS [[0,9],[10,99]]"], debug_level=1, **query)
        self.assertEqual(ids(found)[0], "a")
        self.assertEqual(found["facet_result"]["facet_array"], [["kind", "food", "2"], ["kind", "thing", "1"], ["price", "[0, 9]", "2"], ["price", "[10, 99]", "1"]])
        self.assertGreater(found["debug_info"]["response_time"], 0)
        self.assertEqual(ids(search(index, sort_columns=["price DESC"], **query)), ["c", "a", "b"])

    def test_reranks(self):
        index = ai_search().get_index("peer-standard", "main.peer.items")
        reranker = DatabricksReranker(columns_to_rerank=["text"])
        found = search(
            index, columns=["id", "text"], query_vector=ROWS[0]["v"], query_text="furniture to sit on", query_type="HYBRID", reranker=reranker
        )
        self.assertEqual(ids(found)[0], "c")

    def test_pages_and_scans(self):
        index = ai_search().get_index("peer-standard", "main.peer.items")
        many = [{**ROWS[0], "id": f"p{i:03}", "kind": "page"} for i in range(450)]
        index.upsert(many)
        found = search(index, columns=["id"], query_vector=ROWS[0]["v"], filters={"kind": "page"}, num_results=450)
        self.assertEqual(len(set(ids(found))), 450)
        scanned = index.scan(num_results=100, last_primary_key="p100")
        self.assertEqual(scanned["last_primary_key"], "p200")
        self.assertEqual(index.delete([row["id"] for row in many])["result"]["success_row_count"], 450)

    def test_a_wrong_dimension_names_both_numbers(self):
        with self.assertRaisesRegex(InvalidParameterValue, "2 dimensions.*has 16"):
            sdk().vector_search_indexes.query_index("main.peer.items", columns=["id"], query_vector=[1.0, 0.0])

    def test_a_service_principal_goes_by_the_url_of_the_index(self):
        client = ai_search(service_principal_client_id="peer", service_principal_client_secret="peer-secret")
        index = client.get_index("peer-standard", "main.peer.items")
        self.assertEqual(ids(search(index, columns=["id"], query_vector=ROWS[1]["v"], num_results=1)), ["b"])

    def test_delta_sync_follows_a_table(self):
        client = sdk()
        warehouse = next(iter(client.warehouses.list())).id
        run = lambda statement: client.statement_execution.execute_statement(statement, warehouse)
        run(f"CREATE OR REPLACE TABLE {TABLE} (id BIGINT NOT NULL, content STRING) TBLPROPERTIES (delta.enableChangeDataFeed = true)")
        run(f"INSERT INTO {TABLE} VALUES (1, 'The cat sleeps on the sofa.'), (2, 'Quarterly revenue grew.')")
        index = ai_search().create_delta_sync_index_and_wait(
            endpoint_name="peer-standard", index_name="main.peer.docs", primary_key="id", source_table_name=TABLE, pipeline_type="TRIGGERED",
            embedding_source_column="content", embedding_model_endpoint_name="local-embedding",
        )
        self.assertEqual(ids(search(index, columns=["id"], query_text="How did sales develop?", num_results=1)), [2])
        run(f"INSERT INTO {TABLE} VALUES (3, 'A guide to gardening.')")
        index.sync()
        while index.describe()["status"]["indexed_row_count"] < 3:
            pass
        self.assertEqual(ids(search(index, columns=["id"], query_text="flowers", num_results=1)), [3])

    def test_the_sdk_creates_both_kinds(self):
        client = sdk().vector_search_indexes
        model = EmbeddingSourceColumn(name="text", embedding_model_endpoint_name="local-embedding")
        spec = DirectAccessVectorIndexSpec(
            embedding_source_columns=[model],
            embedding_vector_columns=[EmbeddingVectorColumn(name="v", embedding_dimension=384)],
            schema_json='{"id": "int", "text": "string"}',
        )
        client.create_index("main.peer.sdk", "peer-standard", "id", VectorIndexType.DIRECT_ACCESS, direct_access_index_spec=spec)
        client.upsert_data_vector_index("main.peer.sdk", '[{"id": 7, "text": "A lamp."}]')
        self.assertEqual(client.query_index("main.peer.sdk", columns=["id"], query_text="light").result.data_array[0][0], 7)
        self.assertTrue(client.get_index("main.peer.sdk").status.ready)
        missing = DeltaSyncVectorIndexSpecRequest(
            source_table="main.default.no_such_table", pipeline_type=PipelineType.TRIGGERED, embedding_source_columns=[model]
        )
        with self.assertRaises(NotFound):
            client.create_index("main.peer.none", "peer-standard", "id", VectorIndexType.DELTA_SYNC, delta_sync_index_spec=missing)

    def test_ai_search_v2(self):
        client = sdk().ai_search
        parent = "workspaces/1234567890123456"
        endpoint = client.create_endpoint(parent, aisearch.Endpoint(endpoint_type=aisearch.EndpointType.STANDARD), endpoint_id="peer-v2")
        self.assertEqual(endpoint.name, f"{parent}/endpoints/peer-v2")
        spec = aisearch.DirectAccessIndexSpec(
            embedding_source_columns=[aisearch.EmbeddingSourceColumn(name="text", embedding_model_endpoint="local-embedding")],
            embedding_vector_columns=[aisearch.EmbeddingVectorColumn(name="v", embedding_dimension=384)],
            schema_json='{"id": "string", "text": "string"}',
        )
        wanted = aisearch.Index(primary_key="id", index_type=aisearch.IndexType.DIRECT_ACCESS, direct_access_index_spec=spec)
        index = client.create_index(endpoint.name, wanted, index_id="main.peer.v2")
        self.assertEqual(index.direct_access_index_spec.embedding_source_columns[0].embedding_model_endpoint, "local-embedding")
        client.upsert_data(index.name, '[{"id": "1", "text": "A lamp."}, {"id": "2", "text": "Quarterly revenue."}]')
        found = client.query_index(index.name, columns=["id"], query_text="light", query_type="HYBRID", max_results=1)
        self.assertEqual([row[0] for row in found.result.data_array], ["1"])
        page = client.scan_index(index.name, page_size=1)
        self.assertEqual((page.data[0]["id"], page.next_page_token), ("1", "1"))
        self.assertEqual(client.remove_data(index.name, ["1"]).result.success_row_count, 1)
        self.assertEqual([i.name for i in client.list_indexes(endpoint.name)], [index.name])
        client.delete_index(index.name)
        client.delete_endpoint(endpoint.name)


if __name__ == "__main__":
    unittest.main()

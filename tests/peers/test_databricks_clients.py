"""The official Databricks clients, pointed at the local workspace."""
import os
import unittest
import warnings

from databricks.ai_search.client import AISearchClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.serving import ChatMessage, ChatMessageRole
from databricks.sdk.service.vectorsearch import (
    DirectAccessVectorIndexSpec,
    EmbeddingVectorColumn,
    EndpointType,
    VectorIndexType,
)

HOST = os.environ["WORKSPACE_URL"]
HANDBOOK = "main.default.handbook"


def with_token(token="dapi-peers"):
    return WorkspaceClient(host=HOST, token=token, auth_type="pat")


def with_oauth(secret="peer-secret"):
    return WorkspaceClient(host=HOST, client_id="peer", client_secret=secret, auth_type="oauth-m2m")


class DatabricksSdk(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)

    def test_lists_and_gets_serving_endpoints(self):
        client = with_token()
        self.assertEqual([e.name for e in client.serving_endpoints.list()], ["local-chat", "local-embedding"])
        endpoint = client.serving_endpoints.get("local-chat")
        self.assertEqual(endpoint.task, "llm/v1/chat")
        self.assertEqual(endpoint.state.ready.value, "READY")

    def test_chats(self):
        messages = [ChatMessage(role=ChatMessageRole.USER, content="Say hello.")]
        reply = with_token().serving_endpoints.query("local-chat", messages=messages, max_tokens=8)
        self.assertTrue(reply.choices[0].message.content)
        self.assertEqual(reply.usage.completion_tokens, 8)
        self.assertIn("smollm2", reply.served_model_name)

    def test_embeds(self):
        reply = with_token().serving_endpoints.query("local-embedding", input=["one", "two"])
        self.assertEqual([len(item.embedding) for item in reply.data], [384, 384])

    def test_queries_the_index(self):
        index = with_token().vector_search_indexes
        found = index.query_index(HANDBOOK, columns=["title", "text"], query_text="How long is parental leave?", num_results=1)
        title, text, score = found.result.data_array[0]
        self.assertEqual(title, "Parental leave")
        self.assertIn("16 weeks", text)
        self.assertGreater(float(score), 0.5)
        hidden = index.query_index(
            HANDBOOK,
            columns=["title"],
            query_text="plants",
            query_type="HYBRID",
            filters_json='{"audience": ["everyone"]}',
        )
        self.assertEqual([row[0] for row in hidden.result.data_array], ["Parental leave"])
        self.assertTrue(index.get_index(HANDBOOK).status.ready)

    def test_keeps_an_index(self):
        client = with_token()
        client.vector_search_endpoints.create_endpoint_and_wait(name="sdk", endpoint_type=EndpointType.STANDARD)
        indexes = client.vector_search_indexes
        spec = DirectAccessVectorIndexSpec(
            embedding_vector_columns=[EmbeddingVectorColumn(name="v", embedding_dimension=2)],
            schema_json='{"id": "string", "v": "array<float>"}',
        )
        indexes.create_index("a.b.sdk", "sdk", "id", VectorIndexType.DIRECT_ACCESS, direct_access_index_spec=spec)
        indexes.upsert_data_vector_index("a.b.sdk", inputs_json='[{"id": "x", "v": [1, 0]}, {"id": "y", "v": [0, 1]}]')
        self.assertEqual(len(indexes.scan_index("a.b.sdk", num_results=10).data), 2)
        self.assertEqual(indexes.delete_data_vector_index("a.b.sdk", primary_keys=["x"]).result.success_row_count, 1)
        found = indexes.query_index("a.b.sdk", columns=["id"], query_vector=[1, 0])
        self.assertEqual([row[0] for row in found.result.data_array], ["y"])
        self.assertEqual([index.name for index in indexes.list_indexes("sdk")], ["a.b.sdk"])
        indexes.delete_index("a.b.sdk")
        client.vector_search_endpoints.delete_endpoint("sdk")

    def test_signs_in_with_oauth(self):
        client = with_oauth()
        self.assertEqual(client.current_user.me().user_name, "peer")
        self.assertTrue(client.get_workspace_id())
        with self.assertRaisesRegex(ValueError, "invalid_client"):
            with_oauth(secret="wrong").current_user.me()

    def test_maps_errors_to_its_classes(self):
        with self.assertRaises(NotFound):
            with_token().serving_endpoints.get("nope")
        with self.assertRaises(NotFound):
            with_token().vector_search_indexes.get_index("no.such.index")
        with self.assertRaises(PermissionDenied):
            with_token("dapi-wrong").current_user.me()


class AISearch(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)

    def test_queries_with_a_token_and_as_a_service_principal(self):
        for credential in [
            {"personal_access_token": "dapi-peers"},
            {"service_principal_client_id": "peer", "service_principal_client_secret": "peer-secret"},
        ]:
            client = AISearchClient(workspace_url=HOST, disable_notice=True, **credential)
            index = client.get_index(endpoint_name="local-search", index_name=HANDBOOK)
            found = index.similarity_search(
                query_text="parental leave", columns=["title"], num_results=2, query_type="hybrid", filters={"audience": "everyone"}
            )
            self.assertEqual([row[0] for row in found["result"]["data_array"]], ["Parental leave"])
            self.assertEqual(index.describe()["status"]["detailed_state"], "ONLINE_DIRECT_ACCESS")


if __name__ == "__main__":
    unittest.main()

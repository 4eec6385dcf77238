"""Serving endpoints made, changed, asked and deleted by the official clients, on the local workspace."""

import contextlib
import os
import unittest
import unittest.mock
import warnings

import openai
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, OperationFailed
from databricks.sdk.service.serving import (
    AiGatewayRateLimit,
    AiGatewayRateLimitRenewalPeriod,
    ChatMessage,
    ChatMessageRole,
    DatabricksModelServingConfig,
    EndpointCoreConfigInput,
    EndpointTag,
    ExternalModel,
    ExternalModelProvider,
    FallbackConfig,
    OpenAiConfig,
    Route,
    ServedEntityInput,
    TrafficConfig,
)
from mlflow.deployments import get_deploy_client

HOST = os.environ["WORKSPACE_URL"]
HELLO = [ChatMessage(role=ChatMessageRole.USER, content="Say hello.")]


def elsewhere(name, url=HOST):
    """An external model: the workspace itself, asked from outside."""
    config = DatabricksModelServingConfig(databricks_workspace_url=url, databricks_api_token_plaintext="dapi-peers")
    provider = ExternalModelProvider.DATABRICKS_MODEL_SERVING
    model = ExternalModel(name="local-chat", provider=provider, task="llm/v1/chat", databricks_model_serving_config=config)
    return ServedEntityInput(name=name, external_model=model)


class Management(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.endpoints = WorkspaceClient(host=HOST, token="dapi-peers", auth_type="pat").serving_endpoints

    def deleted(self, name):
        with contextlib.suppress(NotFound):
            self.endpoints.delete(name)

    def made(self, name, *entities, **more):
        traffic = [Route(served_model_name=entity.name, traffic_percentage=100 if i == 0 else 0) for i, entity in enumerate(entities)]
        config = EndpointCoreConfigInput(name=name, served_entities=list(entities), traffic_config=TrafficConfig(routes=traffic))
        self.addCleanup(self.deleted, name)
        return self.endpoints.create_and_wait(name=name, config=config, **more)

    def test_an_external_model_is_created_asked_and_changed(self):
        made = self.made("peer-external", elsewhere("one"), tags=[EndpointTag(key="team", value="rag")])
        self.assertEqual((made.state.ready.value, made.task), ("READY", "llm/v1/chat"))
        self.assertNotIn("dapi-peers", str(made.as_dict()))
        reply = self.endpoints.query("peer-external", messages=HELLO, max_tokens=4)
        self.assertEqual((reply.usage.completion_tokens, reply.served_model_name), (4, "local-chat"))
        own = self.endpoints.get("local-chat").config.served_entities[0].entity_name
        changed = self.endpoints.update_config_and_wait("peer-external", served_entities=[ServedEntityInput(name="own", entity_name=own, entity_version="1")])
        self.assertEqual((changed.config.config_version, changed.config.served_entities[0].name), (2, "own"))
        self.assertEqual(self.endpoints.query("peer-external", messages=HELLO, max_tokens=4).usage.completion_tokens, 4)
        tags = self.endpoints.patch("peer-external", add_tags=[EndpointTag(key="env", value="dev")], delete_tags=["team"])
        self.assertEqual([tag.as_dict() for tag in tags.tags], [{"key": "env", "value": "dev"}])
        metrics = self.endpoints.export_metrics("peer-external").contents.read().decode()
        self.assertIn('request_count_total{endpoint_name="peer-external"} 2', metrics)
        self.assertIn("peer-external", [endpoint.name for endpoint in self.endpoints.list()])

    def test_a_model_that_is_not_there_falls_back_to_the_next(self):
        self.made("peer-fallback", elsewhere("gone", "http://127.0.0.1:9"), elsewhere("here"))
        self.endpoints.put_ai_gateway("peer-fallback", fallback_config=FallbackConfig(enabled=True))
        self.assertEqual(self.endpoints.query("peer-fallback", messages=HELLO, max_tokens=3).usage.completion_tokens, 3)

    def test_a_rate_limit_refuses_with_the_time_to_wait(self):
        self.made("peer-limited", elsewhere("one"))
        minute = AiGatewayRateLimitRenewalPeriod.MINUTE
        self.endpoints.put_ai_gateway("peer-limited", rate_limits=[AiGatewayRateLimit(calls=1, renewal_period=minute)])
        client = openai.OpenAI(base_url=f"{HOST}/serving-endpoints", api_key="dapi-peers", max_retries=0)
        asked = {"model": "peer-limited", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}
        self.assertTrue(client.chat.completions.create(**asked).choices)
        with self.assertRaises(openai.RateLimitError) as refused:
            client.chat.completions.create(**asked)
        self.assertGreater(int(refused.exception.response.headers["retry-after"]), 0)

    def test_a_model_whose_secret_is_missing_fails_and_says_why(self):
        config = OpenAiConfig(openai_api_key="{{secrets/none/none}}")
        model = ExternalModel(name="gpt", provider=ExternalModelProvider.OPENAI, task="llm/v1/chat", openai_config=config)
        with self.assertRaisesRegex(OperationFailed, "UPDATE_FAILED"):
            self.made("peer-failed", ServedEntityInput(name="gpt", external_model=model))
        failed = self.endpoints.get("peer-failed").pending_config.served_entities[0].state
        self.assertIn("none", failed.deployment_state_message)

    def test_an_endpoint_that_is_deleted_is_gone(self):
        self.made("peer-deleted", elsewhere("one"))
        self.endpoints.delete("peer-deleted")
        with self.assertRaises(NotFound):
            self.endpoints.get("peer-deleted")


class MlflowDeployments(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        patch = unittest.mock.patch.dict(os.environ, {"DATABRICKS_HOST": HOST, "DATABRICKS_TOKEN": "dapi-peers"})
        patch.start()
        self.addCleanup(patch.stop)
        self.client = get_deploy_client("databricks")

    def test_chats_and_embeds(self):
        messages = [{"role": "user", "content": "Hi"}]
        reply = self.client.predict(endpoint="local-chat", inputs={"messages": messages, "max_tokens": 3})
        self.assertEqual(reply["usage"]["completion_tokens"], 3)
        pieces = list(self.client.predict_stream(endpoint="local-chat", inputs={"messages": messages, "max_tokens": 3}))
        self.assertTrue(pieces[-1]["usage"])
        self.assertEqual(len(self.client.predict(endpoint="local-embedding", inputs={"input": ["x"]})["data"][0]["embedding"]), 384)

    def test_lists_and_gets_endpoints(self):
        self.assertIn("local-chat", [endpoint["name"] for endpoint in self.client.list_endpoints()])
        self.assertEqual(self.client.get_endpoint("local-embedding")["task"], "llm/v1/embeddings")


if __name__ == "__main__":
    unittest.main()

"""Databricks' packages for LangChain and OpenAI's client, on the local workspace. They need an older `openai` than DSPy does, and so an
environment of their own."""

import os
import unittest
import unittest.mock

from databricks.sdk import WorkspaceClient
from databricks_langchain import ChatDatabricks, DatabricksEmbeddings, DatabricksVectorSearch
from databricks_openai import DatabricksOpenAI

WORKSPACE = WorkspaceClient(host=os.environ["WORKSPACE_URL"], token="dapi-peers", auth_type="pat")
MESSAGES = [("system", "Be brief."), ("human", "Hi")]
HANDBOOK = "main.default.handbook"


def embeddings(test):
    """These find the workspace in the environment only."""
    environment = {"DATABRICKS_HOST": WORKSPACE.config.host, "DATABRICKS_TOKEN": "dapi-peers"}
    patch = unittest.mock.patch.dict(os.environ, environment)
    patch.start()
    test.addCleanup(patch.stop)
    return DatabricksEmbeddings(endpoint="local-embedding", target_uri="databricks")


class LangChain(unittest.TestCase):
    def test_chats_and_counts_tokens(self):
        reply = ChatDatabricks(model="local-chat", workspace_client=WORKSPACE, temperature=0.1, max_tokens=8).invoke(MESSAGES)
        self.assertTrue(reply.content)
        self.assertEqual(reply.usage_metadata["output_tokens"], 8)
        self.assertIn("smollm2", reply.response_metadata["model_name"])

    def test_streams(self):
        chunks = list(ChatDatabricks(model="local-chat", workspace_client=WORKSPACE, max_tokens=8).stream(MESSAGES))
        self.assertGreater(len(chunks), 3)
        self.assertTrue("".join(chunk.content for chunk in chunks))

    def test_calls_a_tool_that_it_is_told_to_call(self):
        tool = {"name": "weather", "description": "The weather of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
        chat = ChatDatabricks(model="local-chat", workspace_client=WORKSPACE, max_tokens=64).bind_tools([{"type": "function", "function": tool}], tool_choice="required")
        [call] = chat.invoke("What is the weather in Oslo?").tool_calls
        self.assertEqual(call["name"], "weather")
        self.assertIsInstance(call["args"]["city"], str)

    def test_embeds(self):
        self.assertEqual([len(vector) for vector in embeddings(self).embed_documents(["one", "two"])], [384, 384])

    def test_finds_documents(self):
        store = DatabricksVectorSearch(
            index_name=HANDBOOK, workspace_client=WORKSPACE, embedding=embeddings(self), text_column="text", columns=["title"],
            client_args={"workspace_url": WORKSPACE.config.host, "personal_access_token": "dapi-peers"},
        )
        [found] = store.similarity_search("How long is parental leave?", k=1)
        self.assertEqual(found.metadata["title"], "Parental leave")
        self.assertIn("16 weeks", found.page_content)


class OpenAI(unittest.TestCase):
    def setUp(self):
        self.client = DatabricksOpenAI(workspace_client=WORKSPACE)

    def test_chats_whole_and_streamed(self):
        given = {"model": "local-chat", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        reply = self.client.chat.completions.create(**given)
        self.assertEqual(reply.usage.completion_tokens, 8)
        pieces = [chunk.choices[0].delta.content or "" for chunk in self.client.chat.completions.create(**given, stream=True)]
        self.assertTrue("".join(pieces))

    def test_asks_the_responses_api(self):
        reply = self.client.responses.create(model="local-chat", input=[{"role": "user", "content": "Say hello."}], max_output_tokens=8)
        self.assertTrue(reply.output_text)
        events = [event.type for event in self.client.responses.create(model="local-chat", input="Say hello.", max_output_tokens=8, stream=True)]
        self.assertIn("response.output_text.delta", events)
        self.assertEqual(events[-1], "response.incomplete")  # eight tokens were not enough

    def test_asks_through_the_ai_gateway(self):
        client = DatabricksOpenAI(workspace_client=WORKSPACE, use_ai_gateway=True)
        reply = client.chat.completions.create(model="local-chat", messages=[{"role": "user", "content": "Say hello."}], max_tokens=4)
        self.assertTrue(reply.choices[0].message.content)


if __name__ == "__main__":
    unittest.main()

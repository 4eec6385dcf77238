// Databricks' provider for the AI SDK, on the local workspace.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabricksProvider } from "@databricks/ai-sdk-provider";
import { APICallError, generateText, jsonSchema, Output, streamText } from "ai";

const provider = createDatabricksProvider({
  baseURL: `${process.env.WORKSPACE_URL}/serving-endpoints`,
  headers: { Authorization: "Bearer dapi-peers" },
});
const asked = { system: "Be brief.", prompt: "Say hello.", maxOutputTokens: 8 };

for (const [api, model] of Object.entries({ "chat completions": provider.chatCompletions("local-chat"), responses: provider.responses("local-chat") })) {
  test(`${api}: a text whole, and in pieces`, async () => {
    const { text, usage } = await generateText({ model, ...asked });
    assert.ok(text.length > 0);
    const stream = streamText({ model, ...asked });
    const pieces = [];
    for await (const piece of stream.textStream) pieces.push(piece);
    assert.ok(pieces.length > 1);
    if (api === "responses") return; // the provider reads usage from an event that the API does not send
    assert.equal(usage.outputTokens, 8);
    assert.equal(await stream.finishReason, "length");
  });
}

test("an object by its schema", async () => {
  const schema = jsonSchema({ type: "object", properties: { city: { type: "string", enum: ["Oslo", "Bergen"] } }, required: ["city"], additionalProperties: false });
  const { output } = await generateText({ model: provider.chatCompletions("local-chat"), prompt: "Name a city in JSON.", output: Output.object({ schema }), maxOutputTokens: 40 });
  assert.ok(["Oslo", "Bergen"].includes(output.city));
});

test("an endpoint that is not there", async () => {
  const call = generateText({ model: provider.chatCompletions("no-such-endpoint"), ...asked, maxRetries: 0 });
  await assert.rejects(call, (error) => APICallError.isInstance(error) && error.statusCode === 404 && /no-such-endpoint/.test(error.responseBody));
});

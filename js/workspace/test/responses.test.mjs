import assert from "node:assert/strict";
import { test } from "node:test";
import { start, user } from "./support.mjs";

test("the Responses API", async (t) => {
  const { call, send } = await start(t);
  const respond = async (body, prefix = "/serving-endpoints") => {
    const reply = await call("POST", `${prefix}/responses`, { model: "local-chat", max_output_tokens: 16, ...body });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body;
  };

  await t.test("says what a chat says", async () => {
    const chat = await call("POST", "/serving-endpoints/chat/completions", {
      model: "local-chat",
      messages: [{ role: "system", content: "Be brief." }, ...user("Say hello.")],
      max_tokens: 16,
    });
    const { message } = chat.body.choices[0];
    const input = [{ role: "user", content: [{ type: "input_text", text: "Say hello." }] }];
    for (const prefix of ["/serving-endpoints", "/ai-gateway/mlflow/v1", "/ai-gateway/openai/v1"]) {
      const response = await respond({ instructions: "Be brief.", input }, prefix);
      assert.equal(response.object, "response");
      assert.deepEqual(response.output.map(({ type, role }) => [type, role]), [["message", "assistant"]]);
      assert.equal(response.output[0].content[0].text, message.content);
      const { input_tokens, output_tokens, total_tokens } = response.usage;
      assert.equal(input_tokens + output_tokens, total_tokens);
    }
    assert.equal((await respond({ input: "Tell a long story.", max_output_tokens: 2 })).status, "incomplete");
  });

  await t.test("streams named events that build the response", async () => {
    const asked = { model: "local-chat", input: "Say hello.", max_output_tokens: 16 };
    const whole = await respond(asked);
    const response = await send("POST", "/serving-endpoints/responses", { ...asked, stream: true });
    const frames = (await response.text()).split("\n\n").filter((frame) => frame.startsWith("event:"));
    const events = frames.map((frame) => {
      const [, name, data] = frame.match(/^event: (.*)\ndata: (.*)$/);
      const event = JSON.parse(data);
      assert.equal(event.type, name);
      return event;
    });
    assert.deepEqual(events.map(({ sequence_number }) => sequence_number), events.map((_, i) => i));
    const types = [...new Set(events.map(({ type }) => type))];
    assert.deepEqual(types, [
      "response.created", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
      "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ].map((type) => (type === "response.completed" && whole.status === "incomplete" ? "response.incomplete" : type)));
    const text = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta).join("");
    assert.equal(text, whole.output[0].content[0].text);
    const last = events.at(-1).response;
    assert.equal(last.output[0].content[0].text, text);
    assert.equal(last.usage.output_tokens, whole.usage.output_tokens);
    assert.equal(last.output[0].id, events.find(({ type }) => type === "response.output_text.delta").item_id);
  });

  await t.test("calls functions, and takes what they gave", async () => {
    const tools = [{ type: "function", name: "clock", parameters: { type: "object", properties: { zone: { enum: ["UTC", "CET"] } }, required: ["zone"] } }];
    const [item] = (await respond({ input: "Time?", tools, tool_choice: "required", max_output_tokens: 60 })).output;
    assert.deepEqual([item.type, item.name], ["function_call", "clock"]);
    assert.ok(["UTC", "CET"].includes(JSON.parse(item.arguments).zone));
    const output = { type: "function_call_output", call_id: item.call_id, output: "12:00" };
    const next = await respond({ input: [{ role: "user", content: "Time?" }, item, output], tools, tool_choice: "none" });
    assert.equal(next.output[0].type, "message");
    const streamed = await send("POST", "/serving-endpoints/responses", { model: "local-chat", input: "Time?", tools, tool_choice: { type: "function", name: "clock" }, stream: true });
    assert.match(await streamed.text(), /event: response\.function_call_arguments\.done\n/);
  });

  await t.test("takes a schema flat and nested", async () => {
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"], additionalProperties: false };
    for (const format of [{ type: "json_schema", name: "x", schema, strict: true }, { type: "json_schema", json_schema: { name: "x", schema, strict: true } }]) {
      const { output } = await respond({ input: "OK?", text: { format }, max_output_tokens: 60 });
      assert.equal(typeof JSON.parse(output[0].content[0].text).ok, "boolean");
    }
  });

  await t.test("says what it does not do", async () => {
    const cases = [
      [{ input: [] }, 400, /input/],
      [{ input: "x", previous_response_id: "resp_1" }, 501, /previous_response_id/],
      [{ input: "x", tools: [{ type: "web_search" }] }, 501, /tools\[0\]\.type/],
      [{ input: [{ role: "user", content: "x", id: "m".repeat(65) }] }, 400, /64/],
      [{ input: "x", model: "local-embedding" }, 400, /does not chat/],
    ];
    for (const [body, status, message] of cases) {
      const reply = await call("POST", "/serving-endpoints/responses", { model: "local-chat", stream: true, ...body });
      assert.equal(reply.status, status, JSON.stringify(reply.body));
      assert.match(reply.body.message, message);
    }
    assert.equal((await call("POST", "/ai-gateway/anthropic/v1/messages", {})).status, 501);
  });
});

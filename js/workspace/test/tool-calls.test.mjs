import assert from "node:assert/strict";
import { test } from "node:test";
import { CHAT, events, start, user } from "./support.mjs";

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Weather of a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string", maxLength: 12 }, unit: { $ref: "#/$defs/unit" } },
      required: ["city", "unit"],
      $defs: { unit: { enum: ["celsius", "fahrenheit"] } },
    },
  },
};
const clock = { type: "function", function: { name: "clock" } };

test("tool calls", async (t) => {
  const { call, send } = await start(t);
  const asked = (body) => ({ model: "local-chat", max_tokens: 120, messages: user("Weather in Oslo?"), tools: [weather, clock], ...body });
  const chat = async (body) => (await call("POST", CHAT, asked(body))).body.choices[0];

  await t.test("that are required fit the schema of one of the tools", async () => {
    for (const seed of [1, 2, 3]) {
      const { message, finish_reason } = await chat({ tool_choice: "required", temperature: 1, seed });
      assert.equal(finish_reason, "tool_calls");
      assert.equal(message.content, null);
      const [{ id, type, function: called }, ...others] = message.tool_calls;
      assert.deepEqual([others, type], [[], "function"]);
      assert.match(id, /^call_/);
      const given = JSON.parse(called.arguments);
      if (called.name === "clock") assert.deepEqual(given, {});
      else assert.ok(given.city.length <= 12 && ["celsius", "fahrenheit"].includes(given.unit), called.arguments);
    }
  });

  await t.test("can be told which function to call, and are streamed", async () => {
    const choice = { type: "function", function: { name: "get_weather" } };
    const frames = await events(await send("POST", CHAT, asked({ tool_choice: choice, stream: true })));
    const calls = frames.filter((frame) => frame !== "[DONE]").flatMap(({ choices: [{ delta }] }) => delta.tool_calls ?? []);
    assert.deepEqual(calls.map(({ index, function: { name } }) => [index, name]), [[0, "get_weather"]]);
    assert.deepEqual(Object.keys(JSON.parse(calls[0].function.arguments)), ["city", "unit"]);
    assert.equal(frames.at(-2).choices[0].finish_reason, "tool_calls");
    assert.ok(frames.at(-2).usage.completion_tokens > 5);
  });

  await t.test("that are not required are up to the model, which here answers", async () => {
    const { message, finish_reason } = await chat({ messages: user("Say hello."), tools: [clock], max_tokens: 16 });
    if (finish_reason === "tool_calls") assert.equal(message.tool_calls[0].function.name, "clock");
    else assert.ok(message.content.length > 0 && message.tool_calls === undefined);
    const none = await chat({ tool_choice: "none", max_tokens: 4 });
    assert.equal(none.message.tool_calls, undefined);
  });

  await t.test("begin in the middle of a text when the model begins one", async () => {
    // A model this small calls nothing by itself, but it goes on with what it reads again and again.
    const one = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>';
    const turns = Array.from({ length: 6 }, () => [...user("Time?"), { role: "assistant", content: `I look. ${one}` }]).flat();
    const { message, finish_reason } = await chat({ messages: [...turns, ...user("Time?")], tools: [clock] });
    assert.equal(finish_reason, "tool_calls", JSON.stringify(message));
    assert.match(message.content, /I look/);
    assert.doesNotMatch(message.content, /tool_call/);
    assert.deepEqual(message.tool_calls.map(({ function: { name } }) => name), ["clock"]);
  });

  await t.test("may stand beside a reply in JSON", async () => {
    const response_format = { type: "json_schema", json_schema: { name: "x", schema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] } } };
    const { message, finish_reason } = await chat({ response_format });
    if (finish_reason === "tool_calls") assert.ok(["clock", "get_weather"].includes(message.tool_calls[0].function.name));
    else assert.equal(typeof JSON.parse(message.content).ok, "boolean");
  });

  await t.test("and what they gave belong to a conversation", async () => {
    const calls = [{ id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } }];
    const messages = [
      ...user("Weather in Oslo?"),
      { role: "assistant", content: null, tool_calls: calls },
      { role: "tool", tool_call_id: "call_1", content: '{"c": 4}' },
    ];
    const { status, body } = await call("POST", CHAT, { model: "local-chat", messages, max_tokens: 8 });
    assert.equal(status, 200);
    assert.ok(body.choices[0].message.content.length > 0);
    const shorter = await call("POST", CHAT, { model: "local-chat", messages: messages.slice(0, 1), max_tokens: 1 });
    assert.ok(body.usage.prompt_tokens > shorter.body.usage.prompt_tokens + 20);
  });

  await t.test("say what is wrong with a tool", async () => {
    const named = (name, parameters) => ({ type: "function", function: { name, parameters } });
    const cases = [
      [{ tools: [named("a b")] }, /tools\[0\]\.function\.name/],
      [{ tools: [named("f", { type: "object", properties: { x: { type: "text" } } })], tool_choice: "required" }, /tools\[0\]\.function\.parameters: parameters\.x\.type/],
      [{ tool_choice: { type: "function", function: { name: "nope" } } }, /'nope'/],
      [{ tools: Array(33).fill(clock) }, /32/],
      [{ messages: [...user("x"), { role: "assistant", tool_calls: [{}] }] }, /messages\[1\]\.tool_calls/],
    ];
    for (const [body, message] of cases) {
      const reply = await call("POST", CHAT, asked(body));
      assert.equal(reply.status, 400, JSON.stringify(reply.body));
      assert.match(reply.body.message, message);
    }
  });
});

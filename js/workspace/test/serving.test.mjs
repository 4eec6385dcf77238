import assert from "node:assert/strict";
import { test } from "node:test";
import { CHAT, events, start, user } from "./support.mjs";

test("serving endpoints", async (t) => {
  const { call, send } = await start(t, { sequences: 2 });
  const chat = (body) => call("POST", CHAT, { model: "local-chat", max_tokens: 16, ...body });

  await t.test("are listed with the model that they really serve", async () => {
    const { body } = await call("GET", "/api/2.0/serving-endpoints");
    assert.deepEqual(body.endpoints.map(({ name, task }) => [name, task]), [
      ["local-chat", "llm/v1/chat"],
      ["local-embedding", "llm/v1/embeddings"],
    ]);
    const { body: one } = await call("GET", "/api/2.0/serving-endpoints/local-chat");
    assert.match(one.config.served_entities[0].entity_name, /smollm2-135m/);
    const none = await call("GET", "/api/2.0/serving-endpoints/nope");
    assert.deepEqual([none.status, none.body.error_code], [404, "RESOURCE_DOES_NOT_EXIST"]);
  });

  await t.test("answer a chat, by name in the body or in the path", async () => {
    const { status, body, headers } = await chat({ messages: user("Say hello.") });
    assert.equal(status, 200);
    assert.equal(body.object, "chat.completion");
    assert.equal(body.choices[0].message.role, "assistant");
    assert.ok(body.choices[0].message.content.length > 0);
    assert.equal(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens);
    assert.equal(headers.get("served-model-name"), body.model);
    const byPath = await call("POST", "/serving-endpoints/local-chat/invocations", {
      messages: [{ role: "user", content: [{ type: "text", text: "Say hello." }] }],
      max_tokens: 16,
    });
    assert.equal(byPath.body.choices[0].message.content, body.choices[0].message.content);
  });

  await t.test("reuse what they have read of the same prompt", async () => {
    const long = "The quick brown fox jumps over the lazy dog. ".repeat(12);
    await chat({ messages: user(`${long} one`), max_tokens: 1 });
    const { body } = await chat({ messages: user(`${long} two`), max_tokens: 1 });
    const { prompt_tokens, prompt_tokens_details } = body.usage;
    assert.ok(prompt_tokens_details.cached_tokens > prompt_tokens / 2, JSON.stringify(body.usage));
  });

  await t.test("honour max_tokens, stop, seed and n", async () => {
    const count = { messages: user("Count: 1, 2, 3, 4, 5, 6, 7, 8, 9. Repeat it."), max_tokens: 24 };
    const whole = (await chat(count)).body.choices[0];
    assert.equal((await chat({ ...count, max_tokens: 3 })).body.usage.completion_tokens, 3);
    assert.equal((await chat({ ...count, max_tokens: 3 })).body.choices[0].finish_reason, "length");
    const stop = whole.message.content.slice(5, 8);
    const stopped = (await chat({ ...count, stop })).body.choices[0];
    assert.equal(stopped.message.content, whole.message.content.slice(0, whole.message.content.indexOf(stop)));
    assert.equal(stopped.finish_reason, "stop");
    const sampled = { messages: user("Tell me a story."), temperature: 1.5, seed: 7, n: 2 };
    const [first, second] = [await chat(sampled), await chat(sampled)].map(({ body }) => body.choices.map((c) => c.message.content));
    assert.deepEqual(first, second);
    assert.notEqual(first[0], first[1]);
  });

  await t.test("stream chunks, usage on the one that finishes, then [DONE]", async () => {
    const request = { messages: user("Say hello."), model: "local-chat", max_tokens: 8 };
    const whole = (await chat(request)).body;
    const response = await send("POST", CHAT, { ...request, stream: true, stream_options: { include_usage: true } });
    assert.match(response.headers.get("content-type"), /^text\/event-stream/);
    const frames = await events(response);
    assert.equal(frames.pop(), "[DONE]");
    assert.ok(frames.every((frame) => frame.object === "chat.completion.chunk" && frame.choices.length === 1));
    assert.equal(frames[0].choices[0].delta.role, "assistant");
    assert.equal(frames.map((frame) => frame.choices[0].delta.content).join(""), whole.choices[0].message.content);
    const last = frames.pop();
    assert.equal(last.choices[0].finish_reason, whole.choices[0].finish_reason);
    assert.equal(last.usage.completion_tokens, whole.usage.completion_tokens);
    assert.ok(frames.every((frame) => frame.choices[0].finish_reason === null && !frame.usage));
  });

  await t.test("tell how likely tokens were, in the words of chats and of completions", async () => {
    const asked = { messages: user("Say hello."), max_tokens: 4, logprobs: true, top_logprobs: 2 };
    const { message, logprobs } = (await chat(asked)).body.choices[0];
    assert.equal(logprobs.content.map(({ token }) => token).join(""), message.content);
    for (const { token, logprob, bytes, top_logprobs } of logprobs.content) {
      assert.ok(logprob <= 0 && Buffer.from(bytes).toString() === token);
      assert.equal(top_logprobs.length, 2);
      // At the temperature 0 the likeliest token is taken.
      assert.deepEqual([top_logprobs[0].token, top_logprobs[0].logprob], [token, logprob]);
      assert.ok(top_logprobs[1].logprob <= logprob);
    }
    const frames = await events(await send("POST", CHAT, { ...asked, model: "local-chat", stream: true }));
    const streamed = frames.filter((frame) => frame !== "[DONE]").flatMap(({ choices: [choice] }) => choice.logprobs?.content ?? []);
    assert.deepEqual(streamed.map(({ token }) => token), logprobs.content.map(({ token }) => token));
    const completion = { model: "local-chat", prompt: "The capital of France is", max_tokens: 1, logprobs: 2 };
    const told = (await call("POST", "/serving-endpoints/completions", completion)).body.choices[0].logprobs;
    assert.deepEqual(told.tokens, [" Paris"]);
    assert.ok(Math.exp(told.token_logprobs[0]) > 0.5 && Math.exp(told.token_logprobs[0]) < 1);
  });

  await t.test("text of users cannot become a mark of the template", async () => {
    const count = async (content) => (await chat({ messages: user(content), max_tokens: 1 })).body.usage.prompt_tokens;
    // As a special token it would be one; as text it is several.
    assert.ok((await count("<|im_end|>")) - (await count("")) > 3);
  });

  await t.test("complete plain text", async () => {
    const body = { model: "local-chat", prompt: "Once upon a time", max_tokens: 5 };
    const reply = (await call("POST", "/serving-endpoints/completions", body)).body;
    assert.equal(reply.object, "text_completion");
    assert.equal(reply.usage.completion_tokens, 5);
    assert.equal(typeof reply.choices[0].text, "string");
    const legacy = { model: "local-chat", messages: user("Hi"), max_tokens: 2 };
    assert.equal((await call("POST", "/serving-endpoints/completions", legacy)).body.object, "chat.completion");
  });

  await t.test("embed texts: length 1, and near for near meanings", async () => {
    const input = ["How many days of parental leave do I get?", "Time off for new mothers and fathers", "The printer is out of toner"];
    const { body } = await call("POST", "/serving-endpoints/embeddings", { model: "local-embedding", input });
    const [question, near, far] = body.data.map(({ embedding }) => embedding);
    const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    assert.equal(question.length, 384);
    assert.ok(Math.abs(dot(question, question) - 1) < 1e-5);
    assert.ok(dot(question, near) > dot(question, far) + 0.2);
    const packed = await call("POST", "/serving-endpoints/local-embedding/invocations", { input: input[0], encoding_format: "base64" });
    const bytes = Buffer.from(packed.body.data[0].embedding, "base64");
    const floats = new Float32Array(new Uint8Array(bytes).buffer);
    assert.ok(dot([...floats], question) > 0.9999);
  });

  await t.test("name the field that is wrong", async () => {
    const cases = [
      [{ messages: [] }, /messages/],
      [{ messages: [{ role: "wizard", content: "x" }] }, /messages\[0\].role/],
      [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] }, /messages\[0\].content/],
      [{ messages: user("x"), temperature: 3 }, /temperature/],
      [{ messages: user("x"), max_tokens: 0 }, /max_tokens/],
      [{ messages: user("x"), tools: [{ type: "function" }] }, /tools\[0\]/],
      [{ messages: user("x"), tool_choice: "required" }, /tool_choice/],
      [{ messages: user("x"), top_logprobs: 3 }, /logprobs/],
      [{ messages: user("x"), response_format: { type: "xml" } }, /response_format/],
      [{ messages: user("word ".repeat(2000)) }, /prompt has \d+ tokens/],
      [{ messages: user("x"), model: "local-embedding" }, /embeddings/],
    ];
    for (const [body, message] of cases) {
      const reply = await chat(body);
      assert.equal(reply.status, 400, JSON.stringify(body).slice(0, 80));
      assert.equal(reply.body.error_code, "INVALID_PARAMETER_VALUE");
      assert.match(reply.body.message, message);
      const streamed = await send("POST", CHAT, { model: "local-chat", ...body, stream: true });
      assert.equal(streamed.status, 400);
    }
    assert.equal((await chat({ messages: user("x"), model: "nope" })).status, 404);
    const many = { model: "local-embedding", input: Array(151).fill("x") };
    assert.equal((await call("POST", "/serving-endpoints/embeddings", many)).status, 400);
  });

  await t.test("serve eight requests at once on two sequences", async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, (_, i) => chat({ messages: user(`Say the number ${i}.`) })));
    assert.deepEqual(replies.map((reply) => reply.status), Array(8).fill(200));
  });

  await t.test("stop working for a client that left, in the queue and in the middle", async () => {
    const endless = { model: "local-chat", messages: user("Write a long story about a river."), max_tokens: 900, stream: true, stop: [] };
    const leave = new AbortController();
    const running = await Promise.all([1, 2].map(() => send("POST", CHAT, endless, { signal: leave.signal })));
    const queued = send("POST", CHAT, endless, { signal: leave.signal });
    leave.abort();
    await Promise.all(running.map((response) => assert.rejects(response.text())));
    await assert.rejects(queued);
    // Both sequences are free again: a short request need not wait for 900 tokens.
    const reply = await chat({ messages: user("Hi"), max_tokens: 2 });
    assert.equal(reply.status, 200);
  });
});

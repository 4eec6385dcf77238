import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { RateLimiter } from "../dist/serving/rate-limits.js";
import { CHAT, client, events, start, temporaryFolder, user } from "./support.mjs";

const BASE = "/api/2.0/serving-endpoints";

/** A server that speaks the chat-completions API as a provider elsewhere does, and keeps what it was sent. */
async function provider(t, answer) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    seen.push({ path: request.url, authorization: request.headers.authorization, key: request.headers["x-key"], body });
    const { status = 200, headers = {}, json, text } = answer(body, seen.length);
    response.writeHead(status, { "content-type": text === undefined ? "application/json" : "text/event-stream", ...headers });
    response.end(text ?? JSON.stringify(json));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.close(), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, seen };
}

const says = (content, usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }) => ({
  json: { id: "c", object: "chat.completion", created: 1, model: "far-1", choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }], usage },
});
const openai = (url, name = "gpt-far", more = {}) => ({
  name,
  external_model: { name: "far", provider: "openai", task: "llm/v1/chat", openai_config: { openai_api_base: url, openai_api_key_plaintext: "sk-far" }, ...more },
});
const routes = (...shares) => ({ routes: shares.map(([served_model_name, traffic_percentage]) => ({ served_model_name, traffic_percentage })) });

/** Waits until an endpoint has left IN_PROGRESS. */
async function settled(call, name) {
  for (;;) {
    const { body } = await call("GET", `${BASE}/${name}`);
    if (body.state.config_update !== "IN_PROGRESS") return body;
  }
}

test("endpoints that clients make", async (t) => {
  const data = temporaryFolder(t);
  const aliases = { "databricks-dbrx-instruct": "local-chat" };
  const { call, send, close, url, token } = await start(t, { data, aliases, contextSize: 512 });
  const made = async (body) => {
    const reply = await call("POST", BASE, { ...body, config: { name: body.name, ...body.config } });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    assert.equal(reply.body.state.config_update, "IN_PROGRESS");
    return settled(call, body.name);
  };
  const ask = (name, body = {}) => call("POST", `/serving-endpoints/${name}/invocations`, { messages: user("Hi"), max_tokens: 2, ...body });
  const entity = (await call("GET", `${BASE}/local-chat`)).body.config.served_entities[0].entity_name;

  await t.test("serve the workspace's own model once more", async () => {
    const endpoint = await made({ name: "twin", tags: [{ key: "team", value: "rag" }], config: { served_entities: [{ entity_name: entity, entity_version: "1", workload_size: "Small" }] } });
    assert.deepEqual(endpoint.state, { ready: "READY", config_update: "NOT_UPDATING" });
    assert.equal(endpoint.task, "llm/v1/chat");
    const [served] = endpoint.config.served_entities;
    assert.equal(served.name, `${entity.split(".").at(-1)}-1`);
    assert.equal(served.state.deployment, "DEPLOYMENT_READY");
    assert.deepEqual(endpoint.config.traffic_config.routes[0].traffic_percentage, 100);
    assert.equal((await ask("twin")).body.usage.completion_tokens, 2);
    assert.equal((await call("POST", CHAT, { model: entity, messages: user("Hi"), max_tokens: 1 })).status, 200);
    assert.equal((await call("POST", "/ai-gateway/mlflow/v1/chat/completions", { model: entity, messages: user("Hi"), max_tokens: 1 })).status, 200);
  });

  await t.test("call an external model, whole and streamed, with the credential that a secret holds", async (t) => {
    const chunk = (delta, finish_reason = null) => `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "far-1", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    const far = await provider(t, (body) => (body.stream ? { text: chunk({ content: "Hel" }) + chunk({ content: "lo" }, "stop") + "data: [DONE]\n\n" } : says("Hello from far away")));
    await call("POST", "/api/2.0/secrets/scopes/create", { scope: "llm" });
    await call("POST", "/api/2.0/secrets/put", { scope: "llm", key: "far", string_value: "sk-secret" });
    const config = { openai_api_base: far.url, openai_api_key: "{{secrets/llm/far}}" };
    const endpoint = await made({ name: "far", config: { served_entities: [openai(far.url, "gpt-far", { openai_config: config })] } });
    assert.equal(endpoint.config.served_entities[0].external_model.openai_config.openai_api_key, "{{secrets/llm/far}}");
    const { body, headers } = await ask("far", { usage_context: { team: "x" } });
    assert.equal(body.choices[0].message.content, "Hello from far away");
    assert.equal(headers.get("served-model-name"), "far");
    assert.deepEqual(far.seen[0], { path: "/v1/chat/completions", authorization: "Bearer sk-secret", key: undefined, body: { messages: user("Hi"), max_tokens: 2, model: "far" } });
    const frames = await events(await send("POST", CHAT, { model: "far", messages: user("Hi"), stream: true }));
    assert.equal(frames.slice(0, -1).map(({ choices: [{ delta }] }) => delta.content).join(""), "Hello");
    const response = await call("POST", "/serving-endpoints/responses", { model: "far", input: "Hi" });
    assert.equal(response.body.output[0].content[0].text, "Hello from far away");
    const custom = { name: "far", provider: "custom", task: "llm/v1/chat", custom_provider_config: { custom_provider_url: `${far.url}/chat/completions`, api_key_auth: { key: "X-Key", value_plaintext: "k" } } };
    const shown = await made({ name: "custom", config: { served_entities: [{ external_model: custom }] } });
    assert.doesNotMatch(JSON.stringify(shown), /plaintext/);
    await ask("custom");
    assert.deepEqual([far.seen.at(-1).path, far.seen.at(-1).key], ["/v1/chat/completions", "k"]);
    assert.equal((await call("POST", "/serving-endpoints/embeddings", { model: "far", input: "x" })).status, 400);
  });

  await t.test("tell what an external model refused, and that it cannot be reached", async (t) => {
    const far = await provider(t, () => ({ status: 429, headers: { "retry-after": "7" }, json: { error: { message: "slow down" } } }));
    await made({ name: "busy", config: { served_entities: [openai(far.url)] } });
    const busy = await ask("busy");
    assert.deepEqual([busy.status, busy.body.error_code, busy.headers.get("retry-after")], [429, "REQUEST_LIMIT_EXCEEDED", "7"]);
    assert.match(busy.body.message, /slow down/);
    await made({ name: "gone", config: { served_entities: [openai("http://127.0.0.1:9/v1")] } });
    const gone = await ask("gone");
    assert.equal(gone.status, 502);
    assert.doesNotMatch(JSON.stringify(gone.body), /sk-far/);
  });

  await t.test("share requests between entities as the traffic says, and fall back when told to", async (t) => {
    const [one, two] = [await provider(t, () => says("one")), await provider(t, () => says("two"))];
    const served_entities = [openai(one.url, "one"), openai(two.url, "two")];
    await made({ name: "split", config: { served_entities, traffic_config: routes(["one", 0], ["two", 100]) } });
    const answers = async (count) => Promise.all(Array.from({ length: count }, async () => (await ask("split")).body.choices[0].message.content));
    assert.deepEqual(new Set(await answers(5)), new Set(["two"]));
    const config = { served_entities, traffic_config: routes(["one", 50], ["two", 50]) };
    assert.equal((await call("PUT", `${BASE}/split/config`, config)).body.pending_config.config_version, 2);
    assert.equal((await settled(call, "split")).config.config_version, 2);
    assert.deepEqual(new Set(await answers(60)), new Set(["one", "two"]));
    const named = await call("POST", "/serving-endpoints/split/served-models/one/invocations", { messages: user("Hi") });
    assert.equal(named.body.choices[0].message.content, "one");

    const dead = await provider(t, () => ({ status: 503, json: {} }));
    const twoOf = { served_entities: [openai(dead.url, "dead"), openai(two.url, "two")], traffic_config: routes(["dead", 100], ["two", 0]) };
    await made({ name: "fallen", config: twoOf });
    assert.equal((await ask("fallen")).status, 503);
    await call("PUT", `${BASE}/fallen/ai-gateway`, { fallback_config: { enabled: true } });
    assert.equal((await ask("fallen")).body.choices[0].message.content, "two");
  });

  await t.test("refuse more calls or tokens than their limits, with the time to wait", async (t) => {
    const far = await provider(t, () => says("x"));
    await made({ name: "limited", config: { served_entities: [openai(far.url)] }, ai_gateway: { rate_limits: [{ calls: 2, key: "user", renewal_period: "minute" }] } });
    const replies = [await ask("limited"), await ask("limited"), await ask("limited")];
    assert.deepEqual(replies.map(({ status }) => status), [200, 200, 429]);
    assert.equal(replies[2].body.error_code, "REQUEST_LIMIT_EXCEEDED");
    const wait = Number(replies[2].headers.get("retry-after"));
    assert.ok(wait >= 1 && wait <= 60);
    assert.equal(far.seen.length, 2);
    const tokens = await call("PUT", `${BASE}/busy/rate-limits`, { rate_limits: [{ tokens: 5, renewal_period: "minute" }] });
    assert.deepEqual(tokens.body.rate_limits, [{ tokens: 5, key: "endpoint", renewal_period: "minute" }]);
    await call("PUT", `${BASE}/local-embedding/ai-gateway`, { rate_limits: [{ tokens: 5, key: "endpoint", renewal_period: "minute" }] });
    const embed = () => call("POST", "/serving-endpoints/embeddings", { model: "local-embedding", input: "one two three four five" });
    assert.deepEqual([(await embed()).status, (await embed()).status], [200, 429]);
    await call("PUT", `${BASE}/local-embedding/ai-gateway`, {});
  });

  await t.test("count what they did", async () => {
    const response = await send("GET", `${BASE}/limited/metrics`);
    assert.match(response.headers.get("content-type"), /^text\/plain/);
    const text = await response.text();
    assert.match(text, /request_count_total\{endpoint_name="limited"\} 3\n/);
    assert.match(text, /request_4xx_count_total\{endpoint_name="limited"\} 1\n/);
    assert.match(text, /output_tokens_total\{endpoint_name="limited"\} 8\n/);
    assert.match(text, /request_latency_ms_bucket\{endpoint_name="limited",le="\+Inf"\} 3\n/);
    const { body } = await call("GET", `${BASE}/limited/openapi`);
    assert.ok(body.paths["/serving-endpoints/limited/invocations"].post.requestBody);
  });

  await t.test("say why they did not start, and start with another configuration", async (t) => {
    const missing = openai("http://127.0.0.1:9", "m", { openai_config: { openai_api_key: "{{secrets/llm/none}}" } });
    const failed = await made({ name: "failing", config: { served_entities: [missing] } });
    assert.deepEqual(failed.state, { ready: "NOT_READY", config_update: "UPDATE_FAILED" });
    const { deployment, deployment_state_message } = failed.pending_config.served_entities[0].state;
    assert.equal(deployment, "DEPLOYMENT_FAILED");
    assert.match(deployment_state_message, /Secret none does not exist/);
    const asked = await ask("failing");
    assert.deepEqual([asked.status, asked.headers.get("retry-after")], [503, "1"]);
    const far = await provider(t, () => says("now"));
    await call("PUT", `${BASE}/failing/config`, { served_entities: [openai(far.url)] });
    assert.equal((await settled(call, "failing")).state.ready, "READY");
    assert.equal((await ask("failing")).body.choices[0].message.content, "now");
  });

  await t.test("are refused when they make no sense", async () => {
    const one = (more) => ({ config: { served_entities: [{ entity_name: entity }] }, ...more });
    const gpt = openai("http://127.0.0.1:9");
    const cases = [
      [{ name: "a b", ...one() }, 400, /'name'/],
      [{ name: "twin", ...one() }, 409, /already exists/],
      [{ name: "x", config: {} }, 400, /served_entities/],
      [{ name: "x", config: { served_entities: [{ entity_name: "system.ai.gpt" }] } }, 404, /system\.ai\.gpt/],
      [{ name: "x", config: { served_entities: [{ entity_name: "main.ml.rag" }] } }, 501, /registered/],
      [{ name: "x", config: { served_entities: [gpt, { ...gpt, name: "b" }], traffic_config: routes(["gpt-far", 90], ["b", 20]) } }, 400, /sum to 100, not 110/],
      [{ name: "x", config: { served_entities: [gpt], traffic_config: routes(["nope", 100]) } }, 400, /'nope'/],
      [{ name: "x", config: { served_entities: [gpt, gpt] } }, 400, /two entities/],
      [{ name: "x", config: { served_entities: [{ external_model: { name: "m", provider: "cohere", task: "llm/v1/chat" } }] } }, 501, /cohere/],
      [{ name: "x", config: { served_entities: [openai("ftp://x")] } }, 400, /address/],
      [{ name: "x", config: { served_entities: [openai("http://x", "g", { openai_config: { openai_api_key: "sk-1" } })] } }, 400, /openai_api_key_plaintext/],
      [{ name: "x", ...one({ route_optimized: true }) }, 501, /Route-optimized/],
      [{ name: "x", ...one({ ai_gateway: { guardrails: { input: { safety: true } } } }) }, 501, /Guardrails/],
      [{ name: "x", ...one({ ai_gateway: { rate_limits: [{ key: "user", renewal_period: "minute" }] } }) }, 400, /rate_limits\[0\]/],
    ];
    for (const [body, status, message] of cases) {
      const reply = await call("POST", BASE, body);
      assert.equal(reply.status, status, JSON.stringify(reply.body));
      assert.match(reply.body.message, message);
    }
    assert.equal((await call("GET", `${BASE}/x`)).status, 404);
    assert.equal((await call("DELETE", `${BASE}/local-chat`)).status, 400);
  });

  await t.test("bear another name only when told, and the list says so", async () => {
    const { body } = await call("GET", BASE);
    const alias = body.endpoints.find(({ name }) => name === "databricks-dbrx-instruct");
    assert.match(alias.description, /Another name of 'local-chat'/);
    assert.equal(alias.config.served_entities[0].entity_name, entity);
    assert.match((await ask("databricks-dbrx-instruct")).body.model, /smollm2/);
  });

  await t.test("have tags, and are there after a restart until they are deleted", async (t) => {
    const changed = await call("PATCH", `${BASE}/twin/tags`, { add_tags: [{ key: "env", value: "dev" }], delete_tags: ["team"] });
    assert.deepEqual(changed.body, { tags: [{ key: "env", value: "dev" }] });
    const before = (await call("GET", `${BASE}/twin`)).body;
    assert.deepEqual((await call("DELETE", `${BASE}/gone`)).body, {});
    await close();
    const again = client(await start(t, { data, token, port: Number(new URL(url).port), contextSize: 512 }));
    assert.deepEqual((await again.call("GET", `${BASE}/twin`)).body, before);
    const names = (await again.call("GET", BASE)).body.endpoints.map(({ name }) => name);
    assert.ok(!names.includes("gone") && !names.includes("databricks-dbrx-instruct"));
    assert.equal((await again.call("POST", "/serving-endpoints/twin/invocations", { messages: user("Hi"), max_tokens: 1 })).status, 200);
  });
});

test("an endpoint that was acknowledged survives kill -9, and starts if it had not", async (t) => {
  const data = temporaryFolder(t);
  const server = fork(new URL("./server-process.mjs", import.meta.url), [data]);
  const [address] = await once(server, "message");
  const { call } = client(address);
  const served_entities = (await call("GET", `${BASE}/local-chat`)).body.config.served_entities.map(({ entity_name }) => ({ entity_name }));
  const { body } = await call("POST", BASE, { name: "kept", config: { served_entities } });
  server.kill("SIGKILL");
  await once(server, "exit");
  const again = await start(t, { data });
  const endpoint = await settled(again.call, "kept");
  assert.deepEqual([endpoint.state, endpoint.id], [{ ready: "READY", config_update: "NOT_UPDATING" }, body.id]);
});

test("a rate limit counts by the minute, for who it is for", () => {
  let now = 0;
  const limiter = new RateLimiter(() => now);
  const limits = [
    { key: "endpoint", calls: 5, renewal_period: "minute" },
    { key: "user", calls: 1, renewal_period: "minute" },
    { key: "user", principal: "vip", calls: 3, renewal_period: "minute" },
  ];
  const admits = (user) => {
    try {
      limiter.admit("e", limits, user);
      return true;
    } catch (error) {
      return error.retryAfter;
    }
  };
  assert.deepEqual([admits("ann"), admits("ann"), admits("bob")], [true, 60, true]);
  now = 30_500;
  assert.deepEqual([admits("ann"), admits("vip"), admits("vip"), admits("vip"), admits("vip")], [30, true, true, true, 30]);
  assert.equal(admits("eve"), 30); // the endpoint's own limit: 5 calls
  now = 60_000;
  assert.deepEqual([admits("ann"), admits("ann")], [true, 60]);
  const none = [{ key: "user", calls: 0, renewal_period: "minute" }];
  assert.throws(() => limiter.admit("e", none, "zoe"), /0 calls per minute/);
});

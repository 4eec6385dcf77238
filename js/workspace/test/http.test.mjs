import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { CHAT, SEARCH, start } from "./support.mjs";

test("identity, errors and limits", async (t) => {
  const workspace = await start(t, { token: "dapi-test", clientId: "app", clientSecret: "s3cret", tokenLifetime: 1 });
  const { call, send, url } = workspace;
  const get = (authorization) => fetch(`${url}/api/2.0/preview/scim/v2/Me`, { headers: authorization ? { authorization } : {} });
  const askToken = (secret, grant = "client_credentials") =>
    fetch(`${url}/oidc/v1/token`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`app:${secret}`).toString("base64")}` },
      body: new URLSearchParams({ grant_type: grant, scope: "all-apis" }),
    });

  await t.test("discovery needs no credential and leads to the token endpoint", async () => {
    const config = await (await fetch(`${url}/.well-known/databricks-config`)).json();
    assert.equal(config.oidc_endpoint, `${url}/oidc`);
    const server = await (await fetch(`${config.oidc_endpoint}/.well-known/oauth-authorization-server`)).json();
    assert.equal(server.token_endpoint, `${url}/oidc/v1/token`);
  });

  await t.test("a personal access token is known, its owner too", async () => {
    const me = await get("Bearer dapi-test");
    assert.equal(me.status, 200);
    assert.ok(me.headers.get("x-databricks-org-id"));
    assert.equal((await me.json()).active, true);
  });

  await t.test("no credential is 401, a wrong one 403, in Databricks' shape", async () => {
    const none = await get();
    assert.equal(none.status, 401);
    const body = await none.json();
    assert.equal(body.error_code, "UNAUTHENTICATED");
    assert.equal(body.details[0].request_id, none.headers.get("x-request-id"));
    assert.equal((await get("Basic abc")).status, 401);
    for (const wrong of ["dapi-other", "a.b.c", "a.b."]) {
      const refused = await get(`Bearer ${wrong}`);
      assert.equal(refused.status, 403);
      assert.equal((await refused.json()).error_code, "PERMISSION_DENIED");
    }
  });

  await t.test("client credentials give a token that works, and ends", async () => {
    const reply = await (await askToken("s3cret")).json();
    assert.equal(reply.token_type, "Bearer");
    assert.equal(reply.expires_in, 1);
    const me = await get(`Bearer ${reply.access_token}`);
    assert.equal((await me.json()).userName, "app");
    const [head, claims, signature] = reply.access_token.split(".");
    const forged = Buffer.from(claims, "base64url").toString().replace("app", "root");
    assert.equal((await get(`Bearer ${head}.${Buffer.from(forged).toString("base64url")}.${signature}`)).status, 403);
    let late = me;
    while (late.status === 200) {
      await new Promise((done) => setTimeout(done, 50));
      late = await get(`Bearer ${reply.access_token}`);
    }
    assert.equal(late.status, 401);
    assert.match((await late.json()).message, /expired/);
  });

  await t.test("a wrong secret or grant is refused in OAuth's shape", async () => {
    const wrong = await askToken("nope");
    assert.equal(wrong.status, 401);
    assert.equal((await wrong.json()).error, "invalid_client");
    assert.equal((await (await askToken("s3cret", "password")).json()).error, "unsupported_grant_type");
  });

  await t.test("unknown routes are 404, missing parts 501", async () => {
    const unknown = await call("GET", "/api/2.0/nothing");
    assert.equal(unknown.status, 404);
    assert.equal(unknown.body.error_code, "ENDPOINT_NOT_FOUND");
    assert.match(unknown.body.message, /GET \/api\/2.0\/nothing/);
    const alerts = await call("GET", "/api/2.0/sql/alerts");
    assert.equal(alerts.status, 501);
    assert.equal(alerts.body.error_code, "NOT_IMPLEMENTED");
  });

  await t.test("bad bodies are 400, big ones 413", async () => {
    const broken = await call("POST", CHAT, "{not json");
    assert.equal(broken.status, 400);
    assert.equal(broken.body.error_code, "MALFORMED_REQUEST");
    assert.equal((await call("POST", CHAT, "[1]")).status, 400);
    const huge = await call("POST", `${SEARCH}/endpoints`, { name: "x".repeat(2 << 20) });
    assert.equal(huge.status, 413);
    assert.equal((await call("GET", "/api/2.0/serving-endpoints")).status, 200);
  });

  await t.test("without --cors nothing is said to other origins", async () => {
    const reply = await send("GET", "/api/2.0/serving-endpoints");
    assert.equal(reply.headers.get("access-control-allow-origin"), null);
    assert.equal((await fetch(url + CHAT, { method: "OPTIONS" })).status, 404);
  });

  await t.test("a GET may have a body", async () => {
    const body = JSON.stringify({ columns: ["id"] });
    const status = await new Promise((resolve, reject) => {
      const get = request(`${url}${SEARCH}/indexes/a.b.c/query`, {
        method: "GET",
        headers: { authorization: "Bearer dapi-test", "content-type": "application/json", "content-length": body.length },
      });
      get.on("response", (response) => resolve(response.resume().statusCode));
      get.on("error", reject);
      get.end(body);
    });
    assert.equal(status, 404);
  });
});

test("with --cors pages of other origins may call", async (t) => {
  const { url } = await start(t, { cors: true });
  const preflight = await fetch(url + CHAT, { method: "OPTIONS" });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
});

test("what is missing is named", async (t) => {
  await assert.rejects(start(t, { model: "no-such.gguf" }), /no-such\.gguf/);
  await assert.rejects(start(t, { documents: "/no/such/folder" }), /\/no\/such\/folder/);
});

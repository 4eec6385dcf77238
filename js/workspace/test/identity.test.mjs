import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { CHAT, SEARCH, start, temporaryFolder, user } from "./support.mjs";

const ISSUER = "https://idp.example";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const PAT = "urn:databricks:params:oauth:token-type:personal-access-token";
const REDIRECT = "http://localhost:8020";
const OPTIONS = { token: "dapi-test", clientId: "app", clientSecret: "s3cret" };

/** What a test asks of a workspace's identity routes. */
function identity({ url }) {
  const basic = { authorization: `Basic ${btoa("app:s3cret")}` };
  const ask = async (form, headers = {}) => {
    const response = await fetch(`${url}/oidc/v1/token`, { method: "POST", headers, body: new URLSearchParams(form) });
    return { status: response.status, ...(await response.json()) };
  };
  const me = async (token) => {
    const response = await fetch(`${url}/api/2.0/preview/scim/v2/Me`, { headers: { authorization: `Bearer ${token}` } });
    return response.ok ? (await response.json()).userName : response.status;
  };
  const call = async (token, method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: await response.json() };
  };
  return { url, basic, ask, me, call, principal: (form) => ask({ grant_type: "client_credentials", ...form }, basic) };
}

/** The address of a server that answers everything with the same JSON. */
async function serve(t, json) {
  const server = createServer((_, response) => response.setHeader("content-type", "application/json").end(json)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** The query of an authorization request, and the verifier that belongs to it. */
function wish(changes = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const query = {
    response_type: "code",
    client_id: "databricks-cli",
    redirect_uri: REDIRECT,
    scope: "all-apis offline_access",
    state: "a-state",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...changes,
  };
  return { verifier, query: new URLSearchParams(query) };
}

/** Opens the page of an authorization request, clicks, and returns the query that the browser brings back. */
async function consent(url, query, decision = "approve") {
  const page = await fetch(`${url}/oidc/v1/authorize?${query}`, { redirect: "manual" });
  if (page.status !== 200) return { status: page.status, location: page.headers.get("location"), page };
  const ticket = /name="ticket" value="([^"]+)"/.exec(await page.text())[1];
  const click = (answer) => fetch(`${url}/oidc/v1/authorize`, { method: "POST", redirect: "manual", body: new URLSearchParams({ ticket, decision: answer }) });
  const answer = await click(decision);
  assert.equal(answer.status, 303);
  const to = new URL(answer.headers.get("location"));
  assert.equal(to.origin, REDIRECT);
  return { ...Object.fromEntries(to.searchParams), again: () => click("approve") };
}

const redeem = (code, verifier, changes = {}) => ({
  grant_type: "authorization_code",
  client_id: "databricks-cli",
  redirect_uri: REDIRECT,
  code,
  code_verifier: verifier,
  ...changes,
});

test("who is who, by each way to a token", async (t) => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwks_json = JSON.stringify({ keys: [await exportJWK(publicKey)] });
  const federation = [
    { client_id: "app", oidc_policy: { issuer: ISSUER, audiences: ["lakelet"], subject: "repo:acme/app", jwks_json } },
    { oidc_policy: { issuer: ISSUER, subject_claim: "email", jwks_json } },
    { oidc_policy: { issuer: `${ISSUER}/online`, jwks_uri: await serve(t, jwks_json) } },
    { oidc_policy: { issuer: `${ISSUER}/offline`, jwks_uri: "http://127.0.0.1:9/keys" } },
  ];
  const workspace = await start(t, { ...OPTIONS, federation });
  const { url, ask, me, call, principal, basic } = identity(workspace);
  const config = await (await fetch(`${url}/.well-known/databricks-config`)).json();
  const [account] = config.token_federation_default_oidc_audiences;

  const sign = (claims, key = privateKey, alg = "RS256") =>
    new SignJWT({ iss: ISSUER, aud: "lakelet", sub: "repo:acme/app", exp: Math.floor(Date.now() / 1000) + 300, ...claims }).setProtectedHeader({ alg }).sign(key);
  const exchange = (subject_token, form = { client_id: "app" }) =>
    ask({ grant_type: EXCHANGE, subject_token, subject_token_type: JWT, scope: "all-apis", ...form });

  await t.test("the discovery document names every grant", async () => {
    const server = await (await fetch(`${url}/oidc/.well-known/oauth-authorization-server`)).json();
    assert.equal(server.authorization_endpoint, `${url}/oidc/v1/authorize`);
    for (const grant of ["client_credentials", "authorization_code", "refresh_token", EXCHANGE]) assert.ok(server.grant_types_supported.includes(grant));
    assert.deepEqual(server.code_challenge_methods_supported, ["S256"]);
  });

  await t.test("an issuer's token speaks for the service principal, or for the user whom it names", async () => {
    const principalToken = await exchange(await sign({}));
    assert.equal(principalToken.token_type, "Bearer");
    assert.equal(await me(principalToken.access_token), "app");
    const userToken = await exchange(await sign({ aud: account, email: "ada@example.com" }), {});
    assert.equal(await me(userToken.access_token), "ada@example.com");
  });

  await t.test("an issuer's keys are fetched from where the policy says", async () => {
    const by = async (issuer) => exchange(await sign({ iss: `${ISSUER}/${issuer}`, aud: account, sub: "ada@example.com" }), {});
    assert.equal(await me((await by("online")).access_token), "ada@example.com");
    assert.equal((await by("offline")).error, "invalid_request");
  });

  await t.test("an issuer's token is refused unless everything fits", async () => {
    const stranger = await generateKeyPair("RS256");
    const refused = {
      "another key": sign({}, stranger.privateKey),
      "a shared secret": sign({}, new TextEncoder().encode(await exportSPKI(publicKey)), "HS256"),
      "no signature": new UnsecuredJWT({ iss: ISSUER, aud: "lakelet", sub: "repo:acme/app" }).setExpirationTime("5m").encode(),
      "another issuer": sign({ iss: "https://other.example" }),
      "another audience": sign({ aud: "other" }),
      "another subject": sign({ sub: "repo:evil/app" }),
      "an end in the past": sign({ exp: 1000 }),
      "no end": sign({ exp: undefined }),
      "no token": "abc",
    };
    for (const [what, token] of Object.entries(refused)) {
      const reply = await exchange(await token);
      assert.deepEqual([reply.status, reply.error], [400, "invalid_request"], what);
      assert.equal(reply.access_token, undefined, what);
    }
    assert.equal((await exchange(await sign({}), { client_id: "other" })).error, "invalid_request");
    assert.equal((await exchange(await sign({ aud: account }), {})).error, "invalid_request", "no e-mail address");
  });

  await t.test("the user signs in with the browser, once a code", async () => {
    const { query, verifier } = wish();
    const { code, state, again } = await consent(url, query);
    assert.equal(state, "a-state");
    assert.equal((await again()).status, 400, "a page is answered once");
    const token = await ask(redeem(code, verifier));
    assert.equal(token.scope, "all-apis offline_access");
    assert.equal(await me(token.access_token), "local-user@example.com");
    assert.equal((await ask(redeem(code, verifier))).error, "invalid_grant", "a code is good once");

    const refreshed = await ask({ grant_type: "refresh_token", refresh_token: token.refresh_token, client_id: "databricks-cli" });
    assert.equal(await me(refreshed.access_token), "local-user@example.com");
    assert.ok(refreshed.refresh_token);
    assert.equal(await me(token.refresh_token), 403, "a refresh token is no access token");
    const wider = await ask({ grant_type: "refresh_token", refresh_token: token.access_token, client_id: "databricks-cli" });
    assert.equal(wider.error, "invalid_grant", "an access token is no refresh token");
  });

  await t.test("a code needs its verifier, its client and its address", async () => {
    const changes = [{ code_verifier: "wrong" }, { code_verifier: "" }, { redirect_uri: "http://localhost:1" }, { client_id: "app", client_secret: "s3cret" }];
    for (const change of changes) {
      const { query, verifier } = wish();
      const { code } = await consent(url, query);
      assert.equal((await ask(redeem(code, verifier, change))).error, "invalid_grant", JSON.stringify(change));
      assert.equal((await ask(redeem(code, verifier))).error, "invalid_grant", "a failed try uses it up");
    }
    const { query, verifier } = wish({ client_id: "app" });
    const { code } = await consent(url, query);
    assert.equal((await ask(redeem(code, verifier, { client_id: "app" }))).error, "invalid_client", "a client with a secret shows it");
  });

  await t.test("a user who does not consent is believed, and nothing is asked for what cannot be", async () => {
    assert.equal((await consent(url, wish().query, "deny")).error, "access_denied");
    for (const [change, error] of [
      [{ response_type: "token" }, "unsupported_response_type"],
      [{ code_challenge_method: "plain" }, "invalid_request"],
      [{ code_challenge: "short" }, "invalid_request"],
      [{ scope: "everything" }, "invalid_scope"],
    ]) {
      const { status, location } = await consent(url, wish(change).query);
      assert.equal(status, 303);
      assert.equal(new URL(location).searchParams.get("error"), error);
    }
    for (const change of [{ client_id: "stranger" }, { redirect_uri: "https://evil.example/" }, { redirect_uri: "http://localhost.evil.example" }, { redirect_uri: "" }]) {
      const { status, location } = await consent(url, wish(change).query);
      assert.deepEqual([status, location], [400, null], JSON.stringify(change));
    }
    const hostile = await fetch(`${url}/oidc/v1/authorize?${wish({ redirect_uri: "http://localhost:1/'\"><script>" }).query}`);
    assert.doesNotMatch(await hostile.text(), /<script>/);
  });

  await t.test("without offline_access there is no refresh token", async () => {
    const { query, verifier } = wish({ scope: "vector-search" });
    const token = await ask(redeem((await consent(url, query)).code, verifier));
    assert.equal(token.refresh_token, undefined);
  });

  await t.test("a personal access token is traded for one that ends", async () => {
    const form = { grant_type: EXCHANGE, subject_token_type: PAT, requested_token_type: "urn:ietf:params:oauth:token-type:access_token", scope: "sql" };
    const token = await ask({ ...form, subject_token: "dapi-test" });
    assert.deepEqual([token.scope, await me(token.access_token)], ["sql", "local-user@example.com"]);
    assert.equal((await ask({ ...form, subject_token: "dapi-other" })).error, "invalid_request");
    assert.equal((await ask({ ...form, subject_token: "dapi-test", subject_token_type: "x" })).error, "invalid_request");
  });

  await t.test("a token of the data plane asks one endpoint and nothing else", async () => {
    const endpoint = (await call("dapi-test", "GET", "/api/2.0/serving-endpoints/local-embedding")).body;
    const details = [{ type: "workspace_permission", object_type: "serving-endpoints", object_path: `/serving-endpoints/${endpoint.id}`, actions: ["query_inference_endpoint"] }];
    const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const assertion = (await principal({ scope: "all-apis" })).access_token;
    const { access_token } = await ask({ grant_type, assertion, authorization_details: JSON.stringify(details) });
    assert.equal((await call(access_token, "POST", "/serving-endpoints/local-embedding/invocations", { input: "x" })).status, 200);
    assert.equal((await call(access_token, "POST", "/serving-endpoints/local-chat/invocations", { messages: user("x") })).status, 403);
    assert.equal((await call(access_token, "POST", CHAT, { model: "local-chat", messages: user("x") })).status, 403);
    assert.equal(await me(access_token), 403);
    const again = await ask({ grant_type, assertion: access_token, authorization_details: JSON.stringify(details) });
    assert.equal(again.error, "invalid_grant", "a limited token makes no other");
    assert.equal((await ask({ grant_type, assertion })).error, "invalid_request");
    assert.equal((await ask({ grant_type, assertion: "dapi-test", authorization_details: "[]" })).error, "invalid_grant");
  });

  await t.test("a service principal limits its token to reading or writing one index", async () => {
    await call("dapi-test", "POST", `${SEARCH}/endpoints`, { name: "e", endpoint_type: "STANDARD" });
    const spec = { embedding_vector_columns: [{ name: "v", embedding_dimension: 2 }], schema_json: '{"id":"string","v":"array<float>"}' };
    const made = await call("dapi-test", "POST", `${SEARCH}/endpoints/e/indexes`, { name: "a.b.c", primary_key: "id", index_type: "DIRECT_ACCESS", direct_access_index_spec: spec });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const limited = async (operation) => {
      const detail = { type: "unity_catalog_permission", securable_type: "table", securable_object_name: "a.b.c", operation };
      return (await principal({ scope: "all-apis", authorization_details: JSON.stringify([detail]) })).access_token;
    };
    const write = (token) => call(token, "POST", `${SEARCH}/indexes/a.b.c/upsert-data`, { inputs_json: '[{"id":"1","v":[0,1]}]' });
    const read = (token) => call(token, "POST", `${SEARCH}/indexes/a.b.c/query`, { columns: ["id"], query_vector: [0, 1] });
    const [reader, writer] = [await limited("ReadVectorIndex"), await limited("WriteVectorIndex")];
    assert.deepEqual([(await write(writer)).status, (await write(reader)).status], [200, 403]);
    assert.deepEqual([(await read(reader)).status, (await read(writer)).status], [200, 403]);
    assert.equal((await call(reader, "POST", `${SEARCH}/indexes/a.b.d/query`, {})).status, 403);
    for (const wrong of ["nonsense", "{}", '[{"type":"other"}]']) {
      assert.equal((await principal({ authorization_details: wrong })).error, "invalid_authorization_details");
    }
  });

  await t.test("what is asked for wrongly is refused in OAuth's shape", async () => {
    assert.equal((await ask({ grant_type: "toString" })).error, "unsupported_grant_type");
    assert.equal((await ask({ grant_type: "client_credentials", client_id: "app", client_secret: "s3cret" })).token_type, "Bearer");
    assert.equal((await ask({ grant_type: "client_credentials", client_id: "app" })).error, "invalid_client");
    assert.equal((await principal({ scope: "model_serving" })).error_description, "Invalid scope: model_serving");
    assert.equal((await ask({ grant_type: "refresh_token", client_id: "databricks-cli", refresh_token: "x" }, basic)).error, "invalid_grant");
  });
});

test("a secret of few scopes", async (t) => {
  const { principal, call, me } = identity(await start(t, { ...OPTIONS, clientScopes: ["vector-search", "model-serving"] }));
  const refused = await principal({ scope: "all-apis" });
  assert.equal(refused.status, 403);
  assert.equal(refused.error, "access_denied");
  assert.match(refused.error_description, /are not assigned to the client/);
  const { access_token } = await principal({ scope: "vector-search" });
  assert.equal((await call(access_token, "GET", `${SEARCH}/endpoints`)).status, 200);
  const other = await call(access_token, "GET", "/api/2.0/serving-endpoints");
  assert.deepEqual([other.status, other.body.error_code], [403, "PERMISSION_DENIED"]);
  assert.match(other.body.message, /required scopes: model-serving/);
  assert.equal(await me(access_token), "app");
});

test("who signed in stays signed in when the workspace starts again", async (t) => {
  const data = temporaryFolder(t);
  const first = await start(t, { ...OPTIONS, data });
  const { query, verifier } = wish();
  const token = await identity(first).ask(redeem((await consent(first.url, query)).code, verifier));
  await first.close();
  assert.equal(statSync(join(data, "signing-key")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(data).filter((name) => name.startsWith("signing-key")), ["signing-key"]);

  const { ask, me } = identity(await start(t, { ...OPTIONS, data }));
  assert.equal(await me(token.access_token), "local-user@example.com");
  const refreshed = await ask({ grant_type: "refresh_token", refresh_token: token.refresh_token, client_id: "databricks-cli" });
  assert.equal(await me(refreshed.access_token), "local-user@example.com");
});

test("policies that cannot be right are named", async (t) => {
  const oidc_policy = { issuer: ISSUER, jwks_json: '{"keys":[]}' };
  for (const [policy, message] of [
    [{}, /policy 1: oidc_policy is missing/],
    [{ oidc_policy: { jwks_json: "{}" } }, /oidc_policy.issuer/],
    [{ client_id: "app", oidc_policy }, /oidc_policy.subject/],
    [{ oidc_policy: { issuer: ISSUER } }, /jwks_json or jwks_uri/],
    [{ oidc_policy: { ...oidc_policy, jwks_json: "{" } }, /jwks_json cannot be read/],
    [{ oidc_policy: { issuer: ISSUER, jwks_uri: "no address" } }, /jwks_uri cannot be read/],
  ]) {
    await assert.rejects(start(t, { federation: [policy] }), message);
  }
  await assert.rejects(start(t, { clientScopes: ["sql", "every-api"] }), /Invalid scope: every-api/);
});

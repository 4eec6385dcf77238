import assert from "node:assert/strict";
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { client, start, temporaryFolder } from "./support.mjs";

const API = "/api/2.0/mlflow";
const ARTIFACTS = "/api/2.0/fs/files/WorkspaceInternal/Mlflow/Artifacts";
const OPEN_SOURCE = { "user-agent": "mlflow-python-client/3.17.2" };

/** A workspace, an experiment in it, and a run. */
async function workspaceWithRun(t) {
  const data = temporaryFolder(t);
  const workspace = await start(t, { data });
  const ok = async (method, path, body) => {
    const reply = await workspace.call(method, path, body);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body;
  };
  const authorization = `Bearer ${workspace.token}`;
  const put = (path, text) => fetch(new URL(path, workspace.url), { method: "PUT", headers: { authorization }, body: text });
  const text = async (path, headers = {}) => (await fetch(new URL(path, workspace.url), { headers: { authorization, ...headers } })).text();
  const { experiment_id: experiment } = await ok("POST", `${API}/experiments/create`, { name: "/Users/me@example.com/dspy" });
  const { run } = await ok("POST", `${API}/runs/create`, { experiment_id: experiment, start_time: 1 });
  return { ...workspace, data, ok, put, text, experiment, run: run.info };
}

const failed = ({ status, body }, expected, code, message) => {
  assert.equal(status, expected, JSON.stringify(body));
  assert.equal(body.error_code, code);
  if (message) assert.match(body.message, message);
};

test("MLflow in both of its dialects", async (t) => {
  const workspace = await workspaceWithRun(t);
  const { call, ok, put, text, url, token, experiment, run, data } = workspace;
  const seenOpenly = async (path) => JSON.parse(await text(path, OPEN_SOURCE));

  await t.test("places have Databricks' names for its clients, and MLflow's for MLflow's", async () => {
    assert.equal(run.artifact_uri, `dbfs:/databricks/mlflow-tracking/${experiment}/${run.run_id}/artifacts`);
    const { run: same } = await seenOpenly(`${API}/runs/get?run_id=${run.run_id}`);
    assert.equal(same.info.artifact_uri, `mlflow-artifacts:/${experiment}/${run.run_id}/artifacts`);
    const below = JSON.parse(await text(`/mlflow${API}/runs/get?run_id=${run.run_id}`));
    assert.equal(below.run.info.artifact_uri, same.info.artifact_uri);
  });

  await t.test("on Databricks an experiment is called by a path", async () => {
    failed(await call("POST", `${API}/experiments/create`, { name: "dspy" }), 400, "INVALID_PARAMETER_VALUE", /'dspy'.*absolute path/);
    failed(await call("POST", `${API}/experiments/create`, {}), 400, "INVALID_PARAMETER_VALUE");
    failed(await call("GET", `${API}/experiments/get-by-name?experiment_name=${encodeURIComponent("/no")}`), 404, "RESOURCE_DOES_NOT_EXIST");
  });

  await t.test("what the Files API writes the artifact proxy reads, and the other way round", async () => {
    const path = `${experiment}/Runs/${run.run_id}/artifacts/tables/a%20b.json`;
    assert.equal((await put(`${ARTIFACTS}/${path}?overwrite=true`, '{"a":1}')).status, 204);
    const proxy = `/api/2.0/mlflow-artifacts/artifacts/${experiment}/${run.run_id}/artifacts`;
    assert.equal(await text(`${proxy}/tables/a%20b.json`), '{"a":1}');
    const { files, root_uri } = await ok("GET", `${API}/artifacts/list?run_id=${run.run_id}&path=tables`);
    assert.deepEqual(files, [{ path: "tables/a b.json", is_dir: false, file_size: 7 }]);
    assert.equal(root_uri, run.artifact_uri);
    assert.equal((await put(`${proxy}/other.txt`, "other")).status, 200);
    assert.equal(await text(`${ARTIFACTS}/${experiment}/Runs/${run.run_id}/artifacts/other.txt`), "other");
    assert.equal(readFileSync(join(data, "mlflow-artifacts", experiment, run.run_id, "artifacts", "other.txt"), "utf8"), "other");
    failed(await call("GET", `${ARTIFACTS}/${experiment}/Other/x`), 400, "INVALID_PARAMETER_VALUE", /'Other'/);
    failed(await call("GET", "/api/2.0/fs/files/WorkspaceInternal/Else/x"), 400, "INVALID_PARAMETER_VALUE", /WorkspaceInternal\/Mlflow/);
  });

  await t.test("signed URLs write and read where the Files API is refused", async () => {
    const body = { run_id: run.run_id, path: ["signed.txt"] };
    const { credential_infos } = await ok("POST", `${API}/artifacts/credentials-for-write`, body);
    const [{ signed_uri, type, path }] = credential_infos;
    assert.deepEqual([type, path], ["AWS_PRESIGNED_URL", "signed.txt"]);
    assert.equal((await fetch(signed_uri, { method: "PUT", body: "signed" })).status, 200);
    assert.equal((await fetch(signed_uri)).status, 403);
    const read = await ok("POST", `${API}/artifacts/credentials-for-read`, body);
    assert.equal(await (await fetch(read.credential_infos[0].signed_uri)).text(), "signed");
    failed(await call("POST", `${API}/artifacts/credentials-for-write`, { ...body, run_id: "none" }), 404, "RESOURCE_DOES_NOT_EXIST", /none/);
    failed(await call("POST", `${API}/artifacts/credentials-for-write`, { run_id: run.run_id }), 400, "INVALID_PARAMETER_VALUE", /'path'/);
  });

  await t.test("files of a logged model, by signed URL and by the Files API", async () => {
    const { model } = await ok("POST", `${API}/logged-models`, { experiment_id: experiment, name: "m" });
    const { model_id, artifact_uri } = model.info;
    assert.equal(artifact_uri, `dbfs:/databricks/mlflow-tracking/${experiment}/logged_models/${model_id}/artifacts`);
    const { credentials } = await ok("POST", `${API}/logged-models/${model_id}/artifacts/credentials-for-upload`, { paths: ["MLmodel"] });
    assert.equal((await fetch(credentials[0].credential_info.signed_uri, { method: "PUT", body: "flavors:" })).status, 200);
    assert.equal(await text(`${ARTIFACTS}/${experiment}/LoggedModels/${model_id}/artifacts/MLmodel`), "flavors:");
  });

  await t.test("spans and the record of a trace", async () => {
    const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "ask", startTimeUnixNano: "1000000000", endTimeUnixNano: "1250000000", status: { code: 1 } };
    const body = JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: [span] }] }] });
    for (const [path, trace] of [["/v1/traces", "0"], ["/api/2.0/otel/v1/traces", "1"]]) {
      const sent = await fetch(url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-mlflow-experiment-id": experiment },
        body: body.replace("0af", `${trace}af`),
      });
      assert.equal(sent.status, 200, await sent.text());
      const { trace: read } = await ok("GET", `/api/3.0/mlflow/traces/tr-${trace}af7651916cd43dd8448eb211c80319c`);
      assert.equal(read.trace_info.execution_duration, "0.250s");
      assert.match(read.trace_info.tags["mlflow.artifactLocation"], /^dbfs:\/databricks\/mlflow-tracking\/\d+\/traces\//);
      const { credential_info } = await ok("GET", `${API}/traces/tr-${trace}af7651916cd43dd8448eb211c80319c/credentials-for-data-upload`);
      assert.equal((await fetch(credential_info.signed_uri, { method: "PUT", body: "{}" })).status, 200);
    }
    const table = { authorization: `Bearer ${token}`, "x-databricks-uc-table-name": "main.a.spans" };
    assert.equal((await fetch(`${url}/api/2.0/otel/v1/traces`, { method: "POST", headers: table })).status, 501);
  });

  await t.test("the page asks for the token as a password, and does not answer other sites", async () => {
    const as = (headers, path = "/mlflow/", init = {}) => fetch(url + path, { headers, redirect: "manual", ...init });
    const asked = await as({});
    assert.equal(asked.status, 401);
    assert.match(asked.headers.get("www-authenticate"), /^Basic /);
    const basic = { authorization: `Basic ${Buffer.from(`token:${token}`).toString("base64")}` };
    assert.match(await (await as(basic)).text(), /<title>MLflow<\/title>/i);
    const search = (headers) => as({ ...basic, ...headers, "content-type": "application/json" }, "/mlflow/ajax-api/2.0/mlflow/experiments/search", { method: "POST", body: '{"max_results":1}' });
    assert.equal((await search({ "sec-fetch-site": "same-origin" })).status, 200);
    assert.equal((await search({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" })).status, 403);
    assert.equal((await as(basic, "/mlflow/ajax-api/3.0/mlflow/assistant/config")).status, 404);
    assert.equal((await as({}, "/")).headers.get("location"), "/mlflow/");
    assert.equal((await as({}, "/ml/experiments/1")).headers.get("location"), "/mlflow/#/experiments/1");
  });

  await t.test("errors are Databricks'; routes that MLflow lacks too", async () => {
    failed(await call("GET", `${API}/runs/get?run_id=none`), 404, "RESOURCE_DOES_NOT_EXIST", /none/);
    failed(await call("GET", `${API}/no-such-thing`), 404, "ENDPOINT_NOT_FOUND", /GET .*no-such-thing/);
    failed(await call("POST", `${API}/runs/search`, { experiment_ids: [experiment], filter: "nonsense !!" }), 400, "INVALID_PARAMETER_VALUE");
    assert.equal((await fetch(`${url}${API}/runs/get?run_id=x`)).status, 401);
    assert.equal(await text("/version"), "3.17.2");
    assert.equal(await text("/health"), "OK");
  });
});

test("models registered in Unity Catalog", async (t) => {
  const { call, send, url, token } = await start(t);
  const UNITY = `${API}/unity-catalog`;
  const model = { name: "main.ml.dspy_rag" };
  const put = (path, text) => fetch(`${url}/api/2.0/fs/files/Models/main/ml/dspy_rag/${path}`, { method: "PUT", headers: { authorization: `Bearer ${token}` }, body: text });
  failed(await call("POST", `${UNITY}/registered-models/create`, { name: "dspy-rag" }), 400, "INVALID_PARAMETER_VALUE", /three parts/);
  failed(await call("GET", `${UNITY}/registered-models/get?name=main.ml.dspy_rag`), 404, "RESOURCE_DOES_NOT_EXIST");
  const created = await call("POST", `${UNITY}/registered-models/create`, { ...model, description: "d", tags: [{ key: "a", value: "b" }] });
  assert.deepEqual(created.body.registered_model.tags, [{ key: "a", value: "b" }]);
  failed(await call("POST", `${UNITY}/registered-models/create`, model), 409, "RESOURCE_ALREADY_EXISTS");
  assert.equal((await put("1/MLmodel", "x")).status, 404, "no version is there to write to");

  const { body } = await call("POST", `${UNITY}/model-versions/create`, { ...model, source: "dbfs:/x" });
  assert.equal(body.model_version.status, "PENDING_REGISTRATION");
  const version = { ...model, version: body.model_version.version };
  failed(await call("POST", `${UNITY}/model-versions/finalize`, version), 400, "INVALID_STATE", /MLmodel/);
  assert.equal((await put("1/MLmodel", "flavors: {}\n")).status, 204);
  failed(await call("POST", `${UNITY}/model-versions/finalize`, version), 400, "INVALID_PARAMETER_VALUE", /signature/);
  const { body: upload } = await call("POST", "/api/2.0/fs/create-upload-url", { path: "/Models/main/ml/dspy_rag/1/MLmodel" });
  assert.equal((await fetch(upload.url, { method: "PUT", body: "signature: {}\n" })).status, 200);
  assert.equal((await call("POST", `${UNITY}/model-versions/finalize`, version)).body.model_version.status, "READY");

  await call("POST", `${UNITY}/registered-models/alias`, { ...version, alias: "champion" });
  const { body: aliased } = await call("GET", `${UNITY}/registered-models/alias?name=main.ml.dspy_rag&alias=champion`);
  assert.deepEqual(aliased.model_version.aliases, [{ alias: "champion", version: "1" }]);
  failed(await call("POST", `${UNITY}/registered-models/alias`, { ...model, version: "7", alias: "x" }), 404, "RESOURCE_DOES_NOT_EXIST", /7/);
  failed(await call("GET", `${UNITY}/model-versions/search?filter=run_id%3D'x'`), 400, "INVALID_PARAMETER_VALUE", /'filter'/);
  assert.equal((await send("DELETE", `${UNITY}/model-versions/delete`, version)).status, 200);
  const again = await call("POST", `${UNITY}/model-versions/create`, { ...model, source: "dbfs:/x" });
  assert.equal(again.body.model_version.version, "2", "a number is not given twice");
});

test("without Python the rest works, and MLflow says what to install", async (t) => {
  const { LAKELET_PYTHON } = process.env;
  process.env.LAKELET_PYTHON = "/no/such/python";
  t.after(() => (process.env.LAKELET_PYTHON = LAKELET_PYTHON));
  const { call } = await start(t);
  failed(await call("GET", `${API}/experiments/search?max_results=1`), 501, "NOT_IMPLEMENTED", /npx lakelet-workspace fetch mlflow/);
  assert.equal((await call("GET", "/api/2.0/serving-endpoints")).status, 200);
});

test("what MLflow acknowledged survives kill -9, and its server ends with the workspace", async (t) => {
  const data = temporaryFolder(t);
  const serving = () => execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n").filter((line) => line.includes(`mlflow_server.py ${data}/`));
  const server = fork(new URL("./server-process.mjs", import.meta.url), [data]);
  t.after(() => server.kill("SIGKILL"));
  const [address] = await once(server, "message");
  const { call } = client(address);
  const { experiment_id } = (await call("POST", `${API}/experiments/create`, { name: "/a" })).body;
  const { run } = (await call("POST", `${API}/runs/create`, { experiment_id, start_time: 1 })).body;
  const { run_id } = run.info;
  assert.equal((await call("POST", `${API}/runs/log-metric`, { run_id, key: "accuracy", value: 0.5, timestamp: 1 })).status, 200);
  const [line] = serving();
  process.kill(Number(line.trim().split(" ")[0]), "SIGKILL");
  const setTag = () => call("POST", `${API}/runs/set-tag`, { run_id, key: "k", value: "v" });
  let reply = await setTag();
  while (reply.status === 503) reply = await setTag();
  assert.equal(reply.status, 200, "a server that died is started again");
  server.kill("SIGKILL");
  await once(server, "exit");
  while (serving().length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const again = await start(t, { data });
  const { data: logged } = (await again.call("GET", `${API}/runs/get?run_id=${run_id}`)).body.run;
  assert.equal(logged.metrics[0].value, 0.5);
  assert.equal(logged.tags.find(({ key }) => key === "k").value, "v");
});

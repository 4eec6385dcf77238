import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { start, temporaryFolder } from "./support.mjs";

const WORKSPACE = "/api/2.0/workspace";
const base64 = (text) => Buffer.from(text).toString("base64");
const text = (base64) => Buffer.from(base64, "base64").toString();

test("notebooks, files and folders of the workspace", async (t) => {
  const { call, send, url, token } = await start(t);
  const home = "/Users/me@example.com/proj";
  const put = (path, content, fields) => call("POST", `${WORKSPACE}/import`, { path, content: base64(content), ...fields });
  const read = async (path, query = "") => text((await call("GET", `${WORKSPACE}/export?path=${path}${query}`)).body.content);
  const refused = async (reply, status, code, message) => {
    const { status: got, body } = await reply;
    assert.equal(got, status, JSON.stringify(body));
    assert.equal(body.error_code, code);
    assert.match(body.message, message);
  };
  await call("POST", `${WORKSPACE}/mkdirs`, { path: home });

  await t.test("a notebook is imported as source, found, and exported as it was", async () => {
    const source = "# Databricks notebook source\nprint(1)";
    assert.deepEqual((await put(`${home}/n`, source, { format: "SOURCE", language: "PYTHON" })).body, {});
    const status = (await call("GET", `${WORKSPACE}/get-status?path=${home}/n`)).body;
    assert.equal(status.object_type, "NOTEBOOK");
    assert.equal(status.language, "PYTHON");
    assert.equal(status.path, `${home}/n`);
    assert.deepEqual((await call("GET", `${WORKSPACE}/get-status?path=/Workspace${home}/n`)).body, status);
    const exported = (await call("GET", `${WORKSPACE}/export?path=${home}/n`)).body;
    assert.equal(exported.file_type, "py");
    assert.equal(text(exported.content), source);
    const direct = await send("GET", `${WORKSPACE}/export?path=${home}/n&direct_download=true`);
    assert.equal(await direct.text(), source);
    await put(`${home}/bare`, "SELECT 1", { language: "SQL" });
    assert.equal(await read(`${home}/bare`), "-- Databricks notebook source\nSELECT 1");
  });

  await t.test("a form imports a file, or what its extension and first line say", async () => {
    const upload = (path, content, fields) => {
      const form = new FormData();
      for (const [name, value] of Object.entries({ path, ...fields })) form.set(name, value);
      form.set("content", new Blob([content]), "content");
      return fetch(`${url}${WORKSPACE}/import`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: form });
    };
    const bytes = new Uint8Array([0, 255, 13, 10, 13]);
    assert.equal((await upload(`${home}/m.bin`, bytes, { format: "AUTO", overwrite: "true" })).status, 200);
    const direct = await send("GET", `${WORKSPACE}/export?path=${home}/m.bin&format=AUTO&direct_download=true`);
    assert.deepEqual(new Uint8Array(await direct.arrayBuffer()), bytes);
    await upload(`${home}/auto.sql`, "-- Databricks notebook source\nSELECT 1", { format: "AUTO" });
    await upload(`${home}/plain.py`, "print(2)", { format: "AUTO" });
    const { objects } = (await call("GET", `${WORKSPACE}/list?path=${home}`)).body;
    assert.deepEqual(objects.map(({ path, object_type }) => `${object_type} ${path.slice(home.length + 1)}`), [
      "NOTEBOOK auto", "NOTEBOOK bare", "FILE m.bin", "NOTEBOOK n", "FILE plain.py",
    ]);
    assert.equal(objects[2].size, 5);
  });

  await t.test("Jupyter notebooks become source and back", async () => {
    const notebook = {
      cells: [
        { cell_type: "markdown", metadata: {}, source: ["# Title\n", "text"] },
        { cell_type: "code", metadata: {}, outputs: [], source: "x = 1\nprint(x)" },
        { cell_type: "code", metadata: {}, outputs: [], source: ["%sql\n", "SELECT 1"] },
      ],
      metadata: { language_info: { name: "python" } },
      nbformat: 4,
    };
    await put(`${home}/j.ipynb`, JSON.stringify(notebook), { format: "AUTO" });
    assert.equal(await read(`${home}/j`), [
      "# Databricks notebook source", "# MAGIC %md", "# MAGIC # Title", "# MAGIC text", "", "# COMMAND ----------", "",
      "x = 1", "print(x)", "", "# COMMAND ----------", "", "# MAGIC %sql SELECT 1", "",
    ].join("\n"));
    const back = JSON.parse(await read(`${home}/j`, "&format=JUPYTER"));
    assert.deepEqual(back.cells.map(({ cell_type, source }) => [cell_type, source.join("")]), [
      ["markdown", "# Title\ntext"], ["code", "x = 1\nprint(x)"], ["code", "%sql\nSELECT 1"],
    ]);
    await refused(put(`${home}/k`, "no json", { format: "JUPYTER" }), 400, "INVALID_PARAMETER_VALUE", /Jupyter/);
  });

  await t.test("bad requests say what is wrong", async () => {
    await refused(put(`${home}/n`, "x", { language: "PYTHON" }), 400, "RESOURCE_ALREADY_EXISTS", /overwrite=true/);
    await refused(put(`${home}/n`, "x", { language: "SQL", overwrite: true }), 400, "RESOURCE_ALREADY_EXISTS", /PYTHON NOTEBOOK/);
    await refused(put(`${home}/x`, "x", {}), 400, "INVALID_PARAMETER_VALUE", /'language' is required/);
    await refused(put(`${home}/x`, "x", { language: "COBOL" }), 400, "INVALID_PARAMETER_VALUE", /COBOL/);
    await refused(put(`${home}/x`, "x", { format: "DBC" }), 501, "NOT_IMPLEMENTED", /DBC/);
    await refused(put("/Users/nobody/x", "x", { language: "PYTHON" }), 404, "RESOURCE_DOES_NOT_EXIST", /parent folder \(\/Users\/nobody\)/);
    await refused(put("relative", "x", { language: "PYTHON" }), 400, "INVALID_PARAMETER_VALUE", /absolute/);
    await refused(put("/Users/../../x", "x", { language: "PYTHON" }), 400, "INVALID_PARAMETER_VALUE", /'\.\.'/);
    await refused(call("POST", `${WORKSPACE}/import`, { path: `${home}/x`, format: "RAW", content: "%%%" }), 400, "INVALID_PARAMETER_VALUE", /base64/);
    await refused(call("GET", `${WORKSPACE}/get-status?path=/nope`), 404, "RESOURCE_DOES_NOT_EXIST", /\/nope/);
    await refused(call("GET", `${WORKSPACE}/export?path=${home}`), 400, "INVALID_PARAMETER_VALUE", /directory/);
  });

  await t.test("folders go with all that is in them, if that is said", async () => {
    await refused(call("POST", `${WORKSPACE}/delete`, { path: home }), 400, "DIRECTORY_NOT_EMPTY", /recursive=true/);
    assert.deepEqual((await call("POST", `${WORKSPACE}/delete`, { path: home, recursive: true })).body, {});
    await refused(call("GET", `${WORKSPACE}/list?path=${home}`), 404, "RESOURCE_DOES_NOT_EXIST", /proj/);
    await refused(call("POST", `${WORKSPACE}/delete`, { path: "/", recursive: true }), 400, "INVALID_PARAMETER_VALUE", /The root cannot be deleted/);
    assert.deepEqual((await call("GET", `${WORKSPACE}/list?path=/Users/me@example.com`)).body, {});
  });
});

test("secrets", async (t) => {
  const data = temporaryFolder(t);
  const { call } = await start(t, { data });
  const post = (path, body) => call("POST", `/api/2.0/secrets/${path}`, body);
  await post("scopes/create", { scope: "s" });
  await post("put", { scope: "s", key: "k", string_value: "vä" });
  const { body } = await call("GET", "/api/2.0/secrets/get?scope=s&key=k");
  assert.equal(text(body.value), "vä");
  assert.deepEqual((await call("GET", "/api/2.0/secrets/list?scope=s")).body.secrets.map(({ key }) => key), ["k"]);
  const secretFiles = readdirSync(data).filter((name) => name.startsWith("secrets.db"));
  assert.ok(secretFiles.length > 1);
  for (const name of secretFiles) assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name);
  assert.equal((await post("scopes/create", { scope: "s" })).body.error_code, "RESOURCE_ALREADY_EXISTS");
  assert.equal((await post("put", { scope: "t", key: "k", string_value: "v" })).status, 404);
  assert.equal((await post("put", { scope: "s", key: "k" })).status, 400);
  await post("scopes/delete", { scope: "s" });
  assert.deepEqual((await call("GET", "/api/2.0/secrets/scopes/list")).body, { scopes: [] });
  await post("scopes/create", { scope: "s" });
  assert.deepEqual((await call("GET", "/api/2.0/secrets/list?scope=s")).body, { secrets: [] });
});

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { start, temporaryFolder } from "./support.mjs";

const FILES = "/api/2.0/fs/files";
const DIRECTORIES = "/api/2.0/fs/directories";
const VOLUME = "/Volumes/main/rag/raw";

/** A workspace with one volume, and calls on its files. */
async function workspaceWithVolume(t) {
  const data = temporaryFolder(t);
  mkdirSync(join(data, "volumes/main/rag/raw"), { recursive: true });
  const workspace = await start(t, { data });
  const bytes = { headers: { authorization: `Bearer ${workspace.token}`, "content-type": "application/octet-stream" } };
  const put = (path, text, query = "") => workspace.send("PUT", FILES + path + query, undefined, { ...bytes, body: text });
  const get = (path, headers = {}) => workspace.send("GET", FILES + path, undefined, { headers: { ...bytes.headers, ...headers } });
  return { ...workspace, data, put, get };
}

const failed = async (response, status, code, message) => {
  const body = await response.json();
  assert.equal(response.status, status, JSON.stringify(body));
  assert.equal(body.error_code, code);
  if (message) assert.match(body.message, message);
  return body;
};

test("files of volumes", async (t) => {
  const { send, call, put, get, data, url } = await workspaceWithVolume(t);

  await t.test("what is put is read back, byte for byte, and stands in the volume's folder", async () => {
    const text = Buffer.from([0, 255, 13, 10, 195]);
    const path = `${VOLUME}/a%20b/%C3%BC.txt`;
    const written = await put(path, new Uint8Array(text));
    assert.equal(written.status, 204);
    assert.equal(await written.text(), "");
    const read = await get(path);
    assert.deepEqual(Buffer.from(await read.arrayBuffer()), text);
    assert.equal(read.headers.get("content-length"), "5");
    assert.ok(Date.parse(read.headers.get("last-modified")) > 0);
    assert.deepEqual(readFileSync(join(data, "volumes/main/rag/raw/a b/ü.txt")), text);
    const head = await send("HEAD", FILES + path);
    assert.equal(head.status, 200);
    assert.equal(head.headers.get("content-length"), "5");
    assert.equal(head.headers.get("content-type"), "application/octet-stream");
  });

  await t.test("a file is replaced only with overwrite=true", async () => {
    await put(`${VOLUME}/a.txt`, "one");
    await failed(await put(`${VOLUME}/a.txt`, "two"), 409, "ALREADY_EXISTS", /overwrite=true/);
    assert.equal(await (await get(`${VOLUME}/a.txt`)).text(), "one");
    assert.equal((await put(`${VOLUME}/a.txt`, "two", "?overwrite=true")).status, 204);
    assert.equal(await (await get(`${VOLUME}/a.txt`)).text(), "two");
    await failed(await put(`${VOLUME}/a.txt`, "x", "?overwrite=yes"), 400, "INVALID_PARAMETER_VALUE", /'overwrite'/);
    assert.deepEqual(readdirSync(join(data, "uploads")), []);
  });

  await t.test("ranges, and a file that was changed meanwhile", async () => {
    await put(`${VOLUME}/range.txt`, "0123456789");
    const part = await get(`${VOLUME}/range.txt`, { range: "bytes=3-5" });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("content-range"), "bytes 3-5/10");
    assert.equal(await part.text(), "345");
    assert.equal(await (await get(`${VOLUME}/range.txt`, { range: "bytes=-2" })).text(), "89");
    assert.equal(await (await get(`${VOLUME}/range.txt`, { range: "bytes=8-99" })).text(), "89");
    assert.equal(await (await get(`${VOLUME}/range.txt`, { range: "bytes=0-1,3-4" })).text(), "0123456789");
    assert.equal((await get(`${VOLUME}/range.txt`, { range: "bytes=10-" })).status, 416);
    const old = await get(`${VOLUME}/range.txt`, { "if-unmodified-since": "Sun, 22 Nov 2020 00:00:00 GMT" });
    await failed(old, 412, "FAILED_PRECONDITION");
    await put(`${VOLUME}/empty`, "");
    const empty = await get(`${VOLUME}/empty`);
    assert.equal(empty.status, 200);
    assert.equal(await empty.text(), "");
  });

  await t.test("directories are made, listed in pages and deleted when they are empty", async () => {
    const folder = `${VOLUME}/sub/deep`;
    assert.equal((await send("PUT", DIRECTORIES + folder)).status, 204);
    assert.equal((await send("HEAD", DIRECTORIES + folder)).status, 200);
    for (const name of ["c", "a", "b"]) await put(`${folder}/${name}.txt`, name);
    const names = [];
    let token = "";
    do {
      const { body } = await call("GET", `${DIRECTORIES}${folder}?page_size=2${token && `&page_token=${token}`}`);
      names.push(...body.contents.map(({ name }) => name));
      token = body.next_page_token;
    } while (token);
    assert.deepEqual(names, ["a.txt", "b.txt", "c.txt"]);
    const { contents } = (await call("GET", `${DIRECTORIES}${VOLUME}/sub`)).body;
    assert.deepEqual(contents, [{ path: folder, name: "deep", is_directory: true }]);
    const [file] = (await call("GET", DIRECTORIES + folder)).body.contents;
    assert.equal(file.path, `${folder}/a.txt`);
    assert.equal(file.file_size, 1);
    assert.ok(Math.abs(file.last_modified - Date.now()) < 60_000);
    const full = await failed(await send("DELETE", DIRECTORIES + folder), 400, "INVALID_PARAMETER_VALUE", /not empty/);
    assert.equal(full.details.at(-1).reason, "FILES_API_DIRECTORY_IS_NOT_EMPTY");
    for (const name of ["c", "a", "b"]) assert.equal((await send("DELETE", `${FILES}${folder}/${name}.txt`)).status, 204);
    assert.equal((await send("DELETE", DIRECTORIES + folder)).status, 204);
    assert.equal((await send("HEAD", DIRECTORIES + folder)).status, 404);
  });

  await t.test("what is not there, and what cannot be, is said", async () => {
    await failed(await get(`${VOLUME}/no.txt`), 404, "NOT_FOUND", /no\.txt/);
    await failed(await send("DELETE", `${FILES}${VOLUME}/no.txt`), 404, "NOT_FOUND");
    await failed(await put("/Volumes/main/rag/other/a.txt", "x"), 404, "RESOURCE_DOES_NOT_EXIST", /main\.rag\.other.*CREATE VOLUME/);
    await failed(await put("/Volumes/main/rag", "x"), 400, "INVALID_PARAMETER_VALUE", /not in a volume/);
    await failed(await put("/etc/passwd", "x"), 400, "INVALID_PARAMETER_VALUE");
    await failed(await put(`${VOLUME}/sub/%2E%2E%2F%2E%2E%2Fx`, "x"), 400, "INVALID_PARAMETER_VALUE", /'\.\.'/);
    await failed(await put(`${VOLUME}/nul%00`, "x"), 400, "INVALID_PARAMETER_VALUE");
    await failed(await put(`${VOLUME}//x`, "x"), 400, "INVALID_PARAMETER_VALUE");
    await failed(await put(`${VOLUME}/${"x".repeat(300)}`, "x"), 400, "INVALID_PARAMETER_VALUE", /255 bytes/);
    await failed(await put(`${VOLUME}/sub`, "x", "?overwrite=true"), 409, "ALREADY_EXISTS", /directory/);
    await failed(await put(`${VOLUME}/a.txt/b`, "x"), 400, "INVALID_PARAMETER_VALUE");
    await failed(await send("GET", `${DIRECTORIES}${VOLUME}/a.txt`), 404, "NOT_FOUND");
    await failed(await send("DELETE", DIRECTORIES + VOLUME), 400, "INVALID_PARAMETER_VALUE", /DROP VOLUME/);
  });

  await t.test("a link in a volume does not lead out of it", async () => {
    const outside = temporaryFolder(t);
    writeFileSync(join(outside, "secret"), "secret");
    symlinkSync(outside, join(data, "volumes/main/rag/raw/link"));
    await failed(await get(`${VOLUME}/link/secret`), 400, "INVALID_PARAMETER_VALUE", /link/);
    await failed(await put(`${VOLUME}/link/new`, "x"), 400, "INVALID_PARAMETER_VALUE", /link/);
    assert.deepEqual(readdirSync(outside), ["secret"]);
  });

  await t.test("a download URL needs no token, and no other URL can be made of it", async () => {
    const made = await call("POST", `/api/2.0/fs/create-download-url?path=${VOLUME}/a.txt`);
    const signed = made.body.url;
    assert.equal(await (await fetch(signed)).text(), "two");
    assert.equal((await fetch(signed, { headers: { range: "bytes=1-" } })).status, 206);
    assert.match(await (await fetch(`${signed}x`)).text(), /SignatureDoesNotMatch/);
    assert.equal((await fetch(signed, { method: "PUT", body: "x" })).status, 403);
    const old = await call("POST", `/api/2.0/fs/create-download-url?path=${VOLUME}/a.txt&expire_time=2026-01-01T00:00:00Z`);
    const expired = await fetch(old.body.url);
    assert.equal(expired.status, 403);
    assert.match(await expired.text(), /<Code>AccessDenied<\/Code><Message>Request has expired/);
    await failed(await send("POST", `/api/2.0/fs/create-download-url?path=${VOLUME}/no.txt`), 404, "NOT_FOUND");
    assert.ok(signed.startsWith(url));
  });

  await t.test("a file in parts is there when all parts are, and not before", async () => {
    const path = `${VOLUME}/parts/big.bin`;
    const begun = await call("POST", `${FILES}${path}?action=initiate-upload&overwrite=false`);
    const { session_token } = begun.body.multipart_upload;
    const session = { path, session_token, expire_time: new Date(Date.now() + 60_000).toISOString() };
    const { upload_part_urls } = (await call("POST", "/api/2.0/fs/create-upload-part-urls", { ...session, start_part_number: 1, count: 2 })).body;
    const parts = [];
    for (const [i, text] of ["hello ", "volume"].entries()) {
      const { url, part_number } = upload_part_urls[i];
      const reply = await fetch(url, { method: "PUT", body: text });
      assert.equal(reply.status, 200);
      parts.push({ part_number, etag: reply.headers.get("etag") });
    }
    await failed(await get(path), 404, "NOT_FOUND");
    const complete = (list, token = session_token) =>
      send("POST", `${FILES}${path}?action=complete-upload&upload_type=multipart&session_token=${token}`, { parts: list });
    await failed(await complete([{ ...parts[0], etag: '"0"' }]), 400, "INVALID_PARAMETER_VALUE", /Part 1/);
    await failed(await complete(parts, "../../x"), 404, "RESOURCE_DOES_NOT_EXIST");
    assert.equal((await complete(parts)).status, 204);
    assert.equal(await (await get(path)).text(), "hello volume");
    await failed(await complete(parts), 404, "RESOURCE_DOES_NOT_EXIST");
    await failed(await send("POST", `${FILES}${path}?action=initiate-upload`), 409, "ALREADY_EXISTS");
  });

  await t.test("an upload in parts can be given up", async () => {
    const path = `${VOLUME}/never.bin`;
    const { session_token } = (await call("POST", `${FILES}${path}?action=initiate-upload`)).body.multipart_upload;
    const { abort_upload_url } = (await call("POST", "/api/2.0/fs/create-abort-upload-url", { path, session_token })).body;
    assert.equal((await fetch(abort_upload_url.url, { method: "DELETE" })).status, 200);
    assert.deepEqual(readdirSync(join(data, "uploads")), []);
  });

  await t.test("MLflow's artifacts have their own folder", async () => {
    const path = "/WorkspaceInternal/Mlflow/Artifacts/1/Runs/ab/artifacts/model/MLmodel";
    assert.equal((await put(path, "flavors: {}", "?overwrite=true")).status, 204);
    assert.equal(await (await get(path)).text(), "flavors: {}");
    assert.equal(readFileSync(join(data, "mlflow-artifacts/1/ab/artifacts/model/MLmodel"), "utf8"), "flavors: {}");
    const { contents } = (await call("GET", `${DIRECTORIES}/WorkspaceInternal/Mlflow/Artifacts/1/Runs/ab/artifacts`)).body;
    assert.equal(contents[0].path, "/WorkspaceInternal/Mlflow/Artifacts/1/Runs/ab/artifacts/model");
  });
});

test("a kill -9 in an upload leaves the old file, whole, and nothing else", async (t) => {
  const data = temporaryFolder(t);
  mkdirSync(join(data, "volumes/main/rag/raw"), { recursive: true });
  const server = fork(new URL("./server-process.mjs", import.meta.url), [data]);
  const [{ url, token }] = await once(server, "message");
  const headers = { authorization: `Bearer ${token}` };
  const path = `${FILES}${VOLUME}/a.txt`;
  assert.equal((await fetch(url + path, { method: "PUT", headers, body: "old" })).status, 204);
  const upload = request(`${url}${path}?overwrite=true`, { method: "PUT", headers });
  upload.on("error", () => {}); // The connection breaks with the server.
  upload.write(Buffer.alloc(1 << 20));
  const folder = join(data, "uploads");
  while (!readdirSync(folder).some((name) => statSync(join(folder, name)).size > 0)) await new Promise(setImmediate);
  server.kill("SIGKILL");
  await once(server, "exit");
  assert.equal(readdirSync(folder).length, 1);
  const again = await start(t, { data });
  assert.equal(await (await again.send("GET", path)).text(), "old");
  assert.deepEqual(readdirSync(folder), []);
});

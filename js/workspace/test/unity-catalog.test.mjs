// Unity Catalog over HTTP as clients call it.
import assert from "node:assert/strict";
import test from "node:test";
import { DUCKDB } from "./python.mjs";
import { CATALOG, sqlClient, start, temporaryFolder } from "./support.mjs";

test("Unity Catalog", async (t) => {
  const data = temporaryFolder(t);
  const workspace = await start(t, { data, sql: "duckdb" });
  const call = (method, path, body) => workspace.call(method, CATALOG + path, body);
  const names = (list) => list.map(({ full_name }) => full_name);

  await t.test("a new workspace has the catalogs main and system", async () => {
    assert.deepEqual(names((await call("GET", "/catalogs?max_results=0")).body.catalogs), ["main", "system"]);
    assert.deepEqual(names((await call("GET", "/schemas?catalog_name=main&max_results=0")).body.schemas), ["main.default"]);
    assert.equal((await call("DELETE", "/schemas/main.default?force=true")).body.error_code, "INVALID_STATE");
  });

  await t.test("catalogs, schemas and volumes are created, changed, listed and deleted", async () => {
    const catalog = (await call("POST", "/catalogs", { name: "Prod", comment: "c", properties: { k: "v" } })).body;
    assert.equal(catalog.full_name, "prod");
    assert.deepEqual([catalog.comment, catalog.properties, catalog.owner], ["c", { k: "v" }, catalog.created_by]);
    const schema = (await call("POST", "/schemas", { catalog_name: "prod", name: "rag" })).body;
    assert.deepEqual([schema.full_name, schema.catalog_name], ["prod.rag", "prod"]);
    const volume = (await call("POST", "/volumes", { catalog_name: "prod", schema_name: "rag", name: "raw", volume_type: "MANAGED" })).body;
    assert.deepEqual([volume.full_name, volume.volume_type], ["prod.rag.raw", "MANAGED"]);
    assert.deepEqual((await call("GET", "/volumes/prod.rag.raw")).body, volume);
    assert.deepEqual(names((await call("GET", "/volumes?catalog_name=prod&schema_name=rag")).body.volumes), ["prod.rag.raw"]);
    assert.equal((await call("PATCH", "/schemas/prod.rag", { comment: "new" })).body.comment, "new");
    assert.equal((await workspace.send("PUT", "/api/2.0/fs/files/Volumes/prod/rag/raw/a.txt", "x")).status, 204);
    assert.equal((await call("DELETE", "/volumes/prod.rag.raw")).status, 200);
    assert.equal((await workspace.send("GET", "/api/2.0/fs/files/Volumes/prod/rag/raw/a.txt")).status, 404);
    assert.match((await call("DELETE", "/catalogs/prod")).body.message, /not empty/);
    assert.equal((await call("DELETE", "/catalogs/prod?force=true")).status, 200);
    assert.equal((await call("GET", "/schemas/prod.rag")).body.error_code, "SCHEMA_DOES_NOT_EXIST");
  });

  await t.test("lists come in pages", async () => {
    for (const name of ["p1", "p2", "p3"]) await call("POST", "/schemas", { catalog_name: "main", name });
    const first = (await call("GET", "/schemas?catalog_name=main&max_results=3")).body;
    assert.deepEqual(names(first.schemas), ["main.default", "main.p1", "main.p2"]);
    const second = (await call("GET", `/schemas?catalog_name=main&max_results=3&page_token=${first.next_page_token}`)).body;
    assert.deepEqual(second, { schemas: second.schemas });
    assert.deepEqual(names(second.schemas), ["main.p3"]);
    assert.equal((await call("GET", "/schemas?catalog_name=main&page_token=x")).status, 400);
  });

  await t.test("errors name what is wrong", async () => {
    const error = async (method, path, body) => {
      const reply = await call(method, path, body);
      return [reply.status, reply.body.error_code, reply.body.message];
    };
    assert.deepEqual(await error("GET", "/catalogs/nope"), [404, "CATALOG_DOES_NOT_EXIST", "Catalog 'nope' does not exist."]);
    assert.deepEqual(await error("POST", "/schemas", { catalog_name: "nope", name: "x" }), [404, "CATALOG_DOES_NOT_EXIST", "Catalog 'nope' does not exist."]);
    assert.deepEqual(await error("POST", "/schemas", { catalog_name: "main", name: "p1" }), [400, "SCHEMA_ALREADY_EXISTS", "Schema 'main.p1' already exists"]);
    assert.match((await error("POST", "/catalogs", { name: "a.b" }))[2], /'a.b' is not a valid name/);
    assert.match((await error("POST", "/volumes", { catalog_name: "main", schema_name: "p1", name: "v", volume_type: "EXTERNAL" }))[2], /'volume_type' must be MANAGED/);
    assert.match((await error("GET", "/volumes?catalog_name=main"))[2], /'schema_name' is required/);
    assert.match((await error("PATCH", "/permissions/schema/main.p1", { changes: [{ principal: "a", add: ["FLY"] }] }))[2], /no privilege 'FLY'/);
  });

  await t.test("grants are kept, and inherited", async () => {
    const changes = [{ principal: "analysts", add: ["USE_CATALOG", "SELECT"] }];
    const given = (await call("PATCH", "/permissions/catalog/main", { changes })).body;
    assert.deepEqual(given, { privilege_assignments: [{ principal: "analysts", privileges: ["SELECT", "USE_CATALOG"] }] });
    await call("PATCH", "/permissions/catalog/main", { changes: [{ principal: "analysts", remove: ["SELECT"] }] });
    assert.deepEqual((await call("GET", "/permissions/CATALOG/main?principal=analysts")).body.privilege_assignments[0].privileges, ["USE_CATALOG"]);
    assert.deepEqual((await call("GET", "/effective-permissions/schema/main.p1")).body, {
      privilege_assignments: [
        { principal: "analysts", privileges: [{ privilege: "USE_CATALOG", inherited_from_type: "CATALOG", inherited_from_name: "main" }] },
      ],
    });
  });

  await t.test("models have versions and aliases", async () => {
    const model = (await call("POST", "/models", { catalog_name: "main", schema_name: "p1", name: "rag", comment: "c" })).body;
    assert.deepEqual([model.full_name, model.comment, model.name], ["main.p1.rag", "c", "rag"]);
    const body = { name: "main.p1.rag", source: "dbfs:/x", run_id: "r1" };
    await workspace.call("POST", "/api/2.0/mlflow/unity-catalog/model-versions/create", body);
    assert.deepEqual((await call("PUT", "/models/main.p1.rag/aliases/champion", { version_num: 1 })).body.version_num, 1);
    const version = (await call("GET", "/models/main.p1.rag/aliases/champion?include_aliases=true")).body;
    assert.deepEqual([version.version, version.model_name, version.catalog_name, version.aliases[0].alias_name], [1, "rag", "main", "champion"]);
    assert.deepEqual((await call("GET", "/models/main.p1.rag/versions")).body.model_versions.map((one) => one.version), [1]);
    assert.deepEqual(names((await call("GET", "/models?catalog_name=main&schema_name=p1")).body.registered_models), ["main.p1.rag"]);
    await call("DELETE", "/models/main.p1.rag/aliases/champion");
    assert.equal((await call("GET", "/models/main.p1.rag/aliases/champion")).status, 404);
    await call("DELETE", "/models/main.p1.rag");
    assert.equal((await call("GET", "/models/main.p1.rag")).status, 404);
  });

  await t.test("tables and functions come from SQL and go to it", DUCKDB, async () => {
    const { rows } = sqlClient(workspace);
    await rows("CREATE TABLE main.p2.docs (id STRING NOT NULL COMMENT 'key', v DECIMAL(10,2), e ARRAY<FLOAT>) COMMENT 'd' TBLPROPERTIES ('delta.enableChangeDataFeed'='true')");
    const table = (await call("GET", "/tables/main.p2.docs")).body;
    assert.deepEqual([table.table_type, table.data_source_format, table.comment, table.properties], ["MANAGED", "DELTA", "d", { "delta.enableChangeDataFeed": "true" }]);
    assert.deepEqual(table.columns.map(({ type_json, ...column }) => column), [
      { name: "id", type_text: "string", type_name: "STRING", position: 0, nullable: false, comment: "key" },
      { name: "v", type_text: "decimal(10,2)", type_name: "DECIMAL", type_precision: 10, type_scale: 2, position: 1, nullable: true },
      { name: "e", type_text: "array<float>", type_name: "ARRAY", position: 2, nullable: true },
    ]);
    assert.equal(table.columns[2].type_json, '{"name":"e","type":{"type":"array","elementType":"float","containsNull":true},"nullable":true,"metadata":{}}');
    assert.deepEqual((await call("GET", "/tables/main.p2.docs/exists")).body, { table_exists: true });
    assert.deepEqual((await call("GET", "/tables/main.p2.nope/exists")).body, { table_exists: false });
    assert.deepEqual(names((await call("GET", "/tables?catalog_name=main&schema_name=p2&max_results=50")).body.tables), ["main.p2.docs"]);
    assert.equal((await call("DELETE", "/tables/main.p2.docs")).status, 200);
    assert.equal((await call("GET", "/tables/main.p2.docs")).body.error_code, "TABLE_DOES_NOT_EXIST");

    const parameters = [{ name: "x", type_text: "int", type_name: "INT", position: 0 }];
    const function_info = {
      name: "twice",
      catalog_name: "main",
      schema_name: "p2",
      input_params: { parameters },
      data_type: "INT",
      full_data_type: "INT",
      routine_body: "SQL",
      routine_definition: "x * 2",
      parameter_style: "S",
      is_deterministic: true,
      sql_data_access: "NO_SQL",
      is_null_call: false,
      security_type: "DEFINER",
      specific_name: "twice",
    };
    const made = (await call("POST", "/functions", { function_info })).body;
    assert.deepEqual([made.full_name, made.input_params.parameters[0].name], ["main.p2.twice", "x"]);
    assert.deepEqual(await rows("SELECT main.p2.twice(21)"), [["42"]]);
    const broken = await call("POST", "/functions", { function_info: { ...function_info, name: "broken", routine_definition: "x +" } });
    assert.equal(broken.status, 400);
    assert.deepEqual(names((await call("GET", "/functions?catalog_name=main&schema_name=p2")).body.functions), ["main.p2.twice"]);
    await call("DELETE", "/functions/main.p2.twice");
    assert.equal((await call("GET", "/functions/main.p2.twice")).body.error_code, "FUNCTION_DOES_NOT_EXIST");
  });

  await t.test("all of it is there after a new start", async () => {
    await workspace.close();
    const again = await start(t, { data, sql: "duckdb" });
    const { body } = await again.call("GET", `${CATALOG}/schemas?catalog_name=main`);
    assert.deepEqual(names(body.schemas), ["main.default", "main.p1", "main.p2", "main.p3"]);
    const grants = await again.call("GET", `${CATALOG}/permissions/catalog/main`);
    assert.deepEqual(grants.body.privilege_assignments, [{ principal: "analysts", privileges: ["USE_CATALOG"] }]);
  });
});

// Runs the Python peer tests against a local workspace of their own. The Python environment is made by `.ci/setup test`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startWorkspace } from "lakelet-workspace";

const cache = process.env.LAKELET_CACHE || join(homedir(), ".cache", "lakelet");
const python = join(cache, "peers", "bin", "python");
if (!existsSync(python)) throw new Error(`There is no ${python}. Run: .ci/setup test`);
// What runs in Python within the workspace is there too.
process.env.LAKELET_PYTHON ??= python;

const data = mkdtempSync(join(tmpdir(), "lakelet-peers-"));
const workspace = await startWorkspace({
  port: 0,
  data,
  sql: "duckdb",
  model: "smollm2",
  threads: 1,
  token: "dapi-peers",
  clientId: "peer",
  clientSecret: "peer-secret",
  documents: fileURLToPath(new URL("documents", import.meta.url)),
});
try {
  await workspace.documentsLoaded;
  const { DATABRICKS_TOKEN, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET, ...environment } = process.env;
  const tests = spawn(python, ["-m", "unittest", "discover", "--start-directory", fileURLToPath(new URL(".", import.meta.url))], {
    stdio: "inherit",
    env: { ...environment, WORKSPACE_URL: workspace.url, DATABRICKS_CONFIG_FILE: join(data, "none") },
  });
  [process.exitCode] = await once(tests, "exit");
} finally {
  await workspace.close();
  rmSync(data, { recursive: true });
}

// Runs the Python peer tests against a local workspace of their own: all of them, or those that are named (`test_auth.SignsIn`).
// The Python environment is made by `.ci/setup test`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { startWorkspace } from "lakelet-workspace";

const cache = process.env.LAKELET_CACHE || join(homedir(), ".cache", "lakelet");
const [python, frameworks] = ["peers", "frameworks"].map((name) => join(cache, name, "bin", "python"));
for (const needed of [python, frameworks]) if (!existsSync(needed)) throw new Error(`There is no ${needed}. Run: .ci/setup test`);
// What runs in Python within the workspace is there too.
process.env.LAKELET_PYTHON ??= python;

// An issuer whose tokens speak for the service principal, and for the users whom they name.
const ISSUER = "https://issuer.example";
const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const oidc_policy = { issuer: ISSUER, audiences: ["peers"], jwks_json: JSON.stringify({ keys: [await exportJWK(publicKey)] }) };
const signed = (subject) => new SignJWT({ sub: subject }).setProtectedHeader({ alg: "ES256" }).setIssuer(ISSUER).setAudience("peers").setExpirationTime("2h").sign(privateKey);

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
  federation: [{ client_id: "peer", oidc_policy: { ...oidc_policy, subject: "job" } }, { oidc_policy }],
  documents: fileURLToPath(new URL("documents", import.meta.url)),
});
try {
  await workspace.documentsLoaded;
  const { DATABRICKS_TOKEN, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET, ...environment } = process.env;
  const here = fileURLToPath(new URL(".", import.meta.url));
  const env = { ...environment, WORKSPACE_URL: workspace.url, PRINCIPAL_JWT: await signed("job"), USER_JWT: await signed("ada@example.com"), DATABRICKS_CONFIG_FILE: join(data, "none") };
  const run = async (command, args, cwd = here) => {
    const [code] = await once(spawn(command, args, { cwd, stdio: "inherit", env }), "exit");
    process.exitCode ||= code ?? 1;
  };
  const which = process.argv.slice(2);
  await run(python, ["-m", "unittest", ...(which.length > 0 ? which : ["discover"])]);
  if (which.length === 0) {
    await run(frameworks, ["-m", "unittest", "discover"], join(here, "frameworks"));
    await run(process.execPath, ["--test", "ai-sdk.test.mjs"]);
  }
} finally {
  await workspace.close();
  rmSync(data, { recursive: true });
}

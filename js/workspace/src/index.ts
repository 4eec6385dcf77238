import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Credentials, TOKEN_OWNER } from "./credentials.js";
import { DocumentLoader, DOCUMENTS_INDEX, type Progress } from "./documents/loader.js";
import { Files } from "./files/files.js";
import { Grants } from "./files/grants.js";
import { Uploads } from "./files/uploads.js";
import { Volumes } from "./files/volumes.js";
import { Router } from "./http/router.js";
import { createHttpServer } from "./http/server.js";
import { Federation, type FederationPolicy } from "./identity/federation.js";
import { signingKey, Tokens } from "./identity/tokens.js";
import { openJobs } from "./jobs/open.js";
import { RegisteredModels } from "./mlflow/registered-models.js";
import { mlflowServer } from "./mlflow/server.js";
import { ChatModel } from "./models/chat-model.js";
import { Embedder } from "./models/embedder.js";
import { Embeddings } from "./models/embeddings.js";
import { cacheDirectory, chatModelPath } from "./models/weights.js";
import { WorkspaceTree } from "./notebooks/tree.js";
import { AiSearchRoutes } from "./routes/ai-search.js";
import { FilesRoutes } from "./routes/files.js";
import { ACCOUNT_ID, IdentityRoutes } from "./routes/identity.js";
import { mlflowRoutes } from "./routes/mlflow.js";
import { secretsRoutes } from "./routes/secrets.js";
import { InferenceRoutes } from "./routes/serving-inference.js";
import { ServingRoutes } from "./routes/serving.js";
import { VectorEndpointRoutes } from "./routes/vector-endpoints.js";
import { VectorSearchRoutes } from "./routes/vector-search.js";
import { WorkspaceFilesRoutes } from "./routes/workspace-files.js";
import { SecretStore } from "./secrets/store.js";
import { ServingEndpoints } from "./serving/endpoints.js";
import { EMBEDDING_ENDPOINT, foundationModels } from "./serving/foundation.js";
import { EntityOpener } from "./serving/opener.js";
import { ServingStore } from "./serving/store.js";
import { endpointId } from "./serving/views.js";
import { UnityRegisteredModelsRoutes } from "./routes/unity-registered-models.js";
import type { EngineKind } from "./sql/engine.js";
import { openSql } from "./sql/open.js";
import { VectorSearch } from "./vector/service.js";
import { VectorStore } from "./vector/store.js";

export type { FederationPolicy } from "./identity/federation.js";
export type { Progress } from "./documents/loader.js";

export interface WorkspaceOptions {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  /** Port to listen on; 0 takes a free one. Default 8123. */
  port?: number;
  /** Personal access token that clients must send. Default `$DATABRICKS_TOKEN`, else a random one. */
  token?: string;
  /** Service principal for OAuth. Default `$DATABRICKS_CLIENT_ID`, else `lakelet-local`. */
  clientId?: string;
  /** Default `$DATABRICKS_CLIENT_SECRET`, else a random one. */
  clientSecret?: string;
  /** Scopes that the secret was given, `["vector-search", "model-serving"]` for instance. Default all. */
  clientScopes?: readonly string[];
  /** Issuers whose tokens are traded for tokens of this workspace (token federation). Default none. */
  federation?: readonly FederationPolicy[];
  /** Seconds that an OAuth token is good for. Default 3600. */
  tokenLifetime?: number;
  /** Folder of all that the workspace keeps: vector indexes, files. Default `workspace` in the cache directory. */
  data?: string;
  /** The engine of SQL. Default that of the tables in `data`, else Spark where PySpark and Java are installed, else DuckDB. */
  sql?: EngineKind;
  /** `qwen-1.5b`, `smollm2`, or the path of a GGUF file. Default qwen-1.5b. */
  model?: string;
  /** Folder of Markdown for the index main.default.handbook, or false for none. Default the handbook of the package. */
  documents?: string | false;
  /** Threads of the language model. Default as many as other programs leave cores free. */
  threads?: number;
  /** Requests that the language model works on at a time. Default 4. */
  sequences?: number;
  /** Tokens of a prompt and its reply together. Default 4096. */
  contextSize?: number;
  /**
   * Other names of the workspace's endpoints, `{ "databricks-dbrx-instruct": "local-chat" }` for instance. What answers is the
   * local model still, and the list of endpoints says so. Default none.
   */
  aliases?: Readonly<Record<string, string>>;
  /** Answer pages of every origin. Databricks does not. Default false. */
  cors?: boolean;
  /** Told of internal errors and of documents that cannot be read. Default console.error. */
  log?: (line: string) => void;
  /** Told how far the reading of documents is. */
  onProgress?: (progress: Progress) => void;
}

export interface Workspace {
  /** The URL to give to clients as DATABRICKS_HOST. */
  url: string;
  token: string;
  clientId: string;
  clientSecret: string;
  /** Resolves when the documents are in the index. Queries work before, on what is there. */
  documentsLoaded: Promise<void>;
  /** Stops the server, cancels what runs, and frees the models. */
  close(): Promise<void>;
}

/**
 * Starts a local workspace that speaks the Databricks REST API.
 *
 * ```js
 * import { startWorkspace } from "lakelet-workspace";
 *
 * const workspace = await startWorkspace({ port: 0, model: "smollm2", documents: false });
 * const reply = await fetch(`${workspace.url}/api/2.0/serving-endpoints`, {
 *   headers: { authorization: `Bearer ${workspace.token}` },
 * });
 * console.log((await reply.json()).endpoints.map((endpoint) => endpoint.name)); // [ "local-chat", "local-embedding" ]
 * await workspace.close();
 * ```
 *
 * Rejects if weights are missing (the message says how to fetch them) or the port is taken.
 */
export async function startWorkspace(options: WorkspaceOptions = {}): Promise<Workspace> {
  const opened: Array<() => unknown> = [];
  const close = async () => {
    while (opened.length > 0) await opened.pop()?.();
  };
  try {
    const workspace = await open(options, (undo) => opened.push(undo));
    let closed: Promise<void> | undefined;
    return { ...workspace, close: () => (closed ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens one part after the other; `onClose` gets what undoes it, to be called in the opposite order. */
async function open(options: WorkspaceOptions, onClose: (undo: () => unknown) => void): Promise<Omit<Workspace, "close">> {
  const log = options.log ?? console.error;
  const secrets = {
    token: options.token ?? process.env["DATABRICKS_TOKEN"] ?? `dapi${randomBytes(16).toString("hex")}`,
    clientId: options.clientId ?? process.env["DATABRICKS_CLIENT_ID"] ?? "lakelet-local",
    clientSecret: options.clientSecret ?? process.env["DATABRICKS_CLIENT_SECRET"] ?? `dose${randomBytes(16).toString("hex")}`,
  };
  const data = options.data ?? join(cacheDirectory(), "workspace");
  const credentials = new Credentials({
    ...secrets,
    clientScopes: options.clientScopes,
    tokens: new Tokens(signingKey(data), options.tokenLifetime ?? 3600),
    federation: new Federation(options.federation ?? [], ACCOUNT_ID),
    endpointId,
  });
  const folder = documentsFolder(options.documents);
  const path = chatModelPath(options.model ?? "qwen-1.5b");

  const embedder = await Embedder.load();
  onClose(() => embedder.close());
  const { threads, sequences = 4, contextSize = 4096 } = options;
  const chat = await ChatModel.load({ path, threads, sequences, contextSize });
  onClose(() => chat.close());
  const store = new VectorStore(data);
  onClose(() => store.close());
  const mlflow = mlflowServer(data, log);
  onClose(() => mlflow.close());
  const volumes = new Volumes(data);
  const models = new RegisteredModels(data);
  onClose(() => models.close());
  const files = new Files(data, volumes, models);
  const grants = new Grants();
  const tree = new WorkspaceTree(data, files.temporary, [TOKEN_OWNER, secrets.clientId]);
  const secretStore = new SecretStore(data);
  onClose(() => secretStore.close());
  let url = "";
  const sql = openSql({ data, volumes, kind: options.sql, url: () => url, token: secrets.token, log });
  onClose(() => sql.close());
  const jobs = openJobs({ data, tree, volumes, statements: sql.statements, url: () => url, token: secrets.token, log });
  onClose(() => jobs.close());
  const servingStore = new ServingStore(data);
  onClose(() => servingStore.close());
  const foundation = foundationModels(chat, embedder);
  const secret = (scope: string, key: string) => Buffer.from(secretStore.get(scope, key), "base64").toString("utf8");
  const endpoints = new ServingEndpoints(servingStore, new EntityOpener(foundation, secret), foundation, TOKEN_OWNER, options.aliases ?? {});
  onClose(() => endpoints.close());

  const aliases = Object.entries(options.aliases ?? {}).filter(([, name]) => name === EMBEDDING_ENDPOINT);
  const embeddingNames = [EMBEDDING_ENDPOINT, ...aliases.map(([alias]) => alias)];
  const embeddings = new Embeddings(Object.fromEntries(embeddingNames.map((name) => [name, embedder])));
  const loader = new DocumentLoader(store, embeddings, EMBEDDING_ENDPOINT);
  if (folder !== undefined) await loader.prepare();
  let loading = folder !== undefined && loader.isEmpty();
  const vectorSearch = new VectorSearch({
    store,
    embeddings,
    tables: sql.tables,
    rerankingEndpoint: EMBEDDING_ENDPOINT,
    isLoading: (index) => loading && index === DOCUMENTS_INDEX,
  });
  onClose(() => vectorSearch.close());

  const authenticate = credentials.authenticate.bind(credentials);
  const router = new Router([
    ...new IdentityRoutes(credentials).routes(),
    ...new ServingRoutes(endpoints).routes(),
    ...new InferenceRoutes(endpoints).routes(),
    ...new VectorEndpointRoutes(vectorSearch).routes(),
    ...new VectorSearchRoutes(vectorSearch).routes(),
    ...new AiSearchRoutes(vectorSearch).routes(),
    ...new FilesRoutes(files, new Uploads(files), grants).routes(),
    ...new WorkspaceFilesRoutes(tree).routes(),
    ...secretsRoutes(secretStore),
    ...sql.routes,
    ...new UnityRegisteredModelsRoutes(sql.catalog.store, models).routes(),
    ...jobs.routes,
    ...mlflowRoutes({ server: mlflow, models, files, grants, authenticate }),
  ]);
  const server = createHttpServer({ router, authenticate, cors: options.cors ?? false, log });
  const host = options.host ?? "127.0.0.1";
  server.listen(options.port ?? 8123, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  onClose(() => {
    server.close();
    server.closeAllConnections();
  });

  const closing = new AbortController();
  const documentsLoaded = (async () => {
    if (folder === undefined) return;
    try {
      await loader.load(folder, options.onProgress ?? (() => {}), closing.signal);
    } catch (error) {
      log(`The documents in ${folder} could not be read: ${(error as Error).message}`);
    }
    loading = false;
  })();
  onClose(() => {
    closing.abort();
    return documentsLoaded;
  });

  return { url, ...secrets, documentsLoaded };
}

function documentsFolder(documents: string | false | undefined): string | undefined {
  if (documents === false) return undefined;
  if (documents !== undefined) {
    if (!existsSync(documents)) throw new Error(`--documents: there is no folder ${documents}.`);
    return documents;
  }
  const handbook = fileURLToPath(new URL("../handbook", import.meta.url));
  return existsSync(handbook) ? handbook : undefined;
}

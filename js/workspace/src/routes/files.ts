import type { Stats } from "node:fs";
import { ApiError, invalid } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { Files } from "../files/files.js";
import { GrantError, type Grants } from "../files/grants.js";
import { readRange } from "../files/ranges.js";
import { partNumber, type Part, type Uploads } from "../files/uploads.js";

const FILES = "/api/2.0/fs/files/*path";
const DIRECTORIES = "/api/2.0/fs/directories/*path";
/** Databricks' limit on one upload or part, in bytes. */
const UPLOAD_LIMIT = 5 * 2 ** 30;
const EMPTY: Reply = { status: 204, bytes: undefined };

/** The Files API: files and folders of volumes, uploads in parts, and URLs that need no token. */
export class FilesRoutes {
  readonly #files: Files;
  readonly #uploads: Uploads;
  readonly #grants: Grants;

  constructor(files: Files, uploads: Uploads, grants: Grants) {
    this.#files = files;
    this.#uploads = uploads;
    this.#grants = grants;
  }

  routes(): Route[] {
    const signed = (method: string, handler: Handler, raw = false): Route =>
      ({ method, path: "/presigned/:grant", public: true, raw, limit: UPLOAD_LIMIT, handler: refused(handler) });
    return [
      { method: "PUT", path: FILES, raw: true, limit: UPLOAD_LIMIT, handler: (call) => this.#upload(call) },
      { method: "POST", path: FILES, handler: (call) => this.#multipart(call) },
      { method: "GET", path: FILES, handler: (call) => this.#download(pathOf(call), call) },
      { method: "HEAD", path: FILES, handler: (call) => this.#metadata(call) },
      { method: "DELETE", path: FILES, handler: (call) => this.#files.remove(pathOf(call)).then(() => EMPTY) },
      { method: "PUT", path: DIRECTORIES, handler: (call) => this.#files.makeDirectory(pathOf(call)).then(() => EMPTY) },
      { method: "HEAD", path: DIRECTORIES, handler: (call) => this.#files.checkDirectory(pathOf(call)).then(() => ({ bytes: undefined })) },
      { method: "DELETE", path: DIRECTORIES, handler: (call) => this.#files.removeDirectory(pathOf(call)).then(() => EMPTY) },
      { method: "GET", path: DIRECTORIES, handler: (call) => this.#list(call) },
      { method: "POST", path: "/api/2.0/fs/create-download-url", handler: (call) => this.#downloadUrl(call) },
      { method: "POST", path: "/api/2.0/fs/create-upload-url", handler: (call) => this.#uploadUrl(call) },
      { method: "POST", path: "/api/2.0/fs/create-upload-part-urls", handler: (call) => this.#partUrls(call) },
      { method: "POST", path: "/api/2.0/fs/create-abort-upload-url", handler: (call) => this.#abortUrl(call) },
      signed("GET", (call) => this.#download(this.#grants.read(call.params["grant"] ?? "", "read").path, call)),
      signed("PUT", (call) => this.#write(call), true),
      signed("DELETE", (call) => this.#abort(call)),
    ];
  }

  async #upload(call: Call): Promise<Reply> {
    await this.#files.write(pathOf(call), call.bytes, overwrites(call));
    return EMPTY;
  }

  async #download(path: string, call: Call): Promise<Reply> {
    const { file, stats } = await this.#files.open(path);
    try {
      const since = Date.parse(call.headers["if-unmodified-since"] ?? "");
      if (since < Math.floor(stats.mtimeMs / 1000) * 1000) {
        throw new ApiError(412, "FAILED_PRECONDITION", `'${path}' was changed since ${call.headers["if-unmodified-since"]}.`);
      }
      const range = readRange(call.headers.range, stats.size);
      const { first, last } = range ?? { first: 0, last: stats.size - 1 };
      const headers = { ...describe(stats), "content-length": String(last - first + 1) };
      // The stream closes the file, also when the client goes away.
      const bytes = file.createReadStream(last < first ? {} : { start: first, end: last });
      if (!range) return { headers, bytes };
      return { status: 206, headers: { ...headers, "content-range": `bytes ${first}-${last}/${stats.size}` }, bytes };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #metadata(call: Call): Promise<Reply> {
    const { file, stats } = await this.#files.open(pathOf(call));
    await file.close();
    return { headers: { ...describe(stats), "content-length": String(stats.size) }, bytes: undefined };
  }

  async #list(call: Call): Promise<Reply> {
    const token = call.query.get("page_token") || undefined;
    const after = token === undefined ? undefined : Buffer.from(token, "base64url").toString();
    const { contents, next } = await this.#files.list(pathOf(call), queryInteger(call, "page_size"), after);
    return { json: { contents, ...(next !== undefined && { next_page_token: Buffer.from(next).toString("base64url") }) } };
  }

  async #downloadUrl({ query, origin }: Call): Promise<Reply> {
    const path = requiredString({ path: query.get("path") }, "path");
    await (await this.#files.open(path)).file.close();
    const url = this.#grants.url({ may: "read", path }, query.get("expire_time") ?? undefined);
    return { json: { url: origin + url, headers: [] } };
  }

  #uploadUrl({ body, origin }: Call): Reply {
    const path = requiredString(body, "path");
    this.#files.place(path);
    return { json: { url: origin + this.#grants.url({ may: "write", path }, optionalString(body, "expire_time")), headers: [] } };
  }

  async #multipart(call: Call): Promise<Reply> {
    const action = call.query.get("action");
    if (action === "initiate-upload") {
      return { json: { multipart_upload: { session_token: await this.#uploads.begin(pathOf(call), overwrites(call)) } } };
    }
    if (action !== "complete-upload") throw invalid(`'action' must be initiate-upload or complete-upload, not '${action ?? ""}'.`);
    const session = call.query.get("session_token") ?? "";
    await this.#uploads.complete(pathOf(call), session, readParts(call.body["parts"]));
    return EMPTY;
  }

  #partUrls({ body, origin }: Call): Reply {
    const { path, session_token: session, expires } = this.#session(body);
    const start = partNumber(optionalInteger(body, "start_part_number", 1, 10_000) ?? 1);
    const count = optionalInteger(body, "count", 1, 100) ?? 1;
    const urls = Array.from({ length: count }, (_, i) => {
      const part = partNumber(start + i);
      return { url: origin + this.#grants.url({ may: "write-part", path, session, part }, expires), part_number: part, headers: [] };
    });
    return { json: { upload_part_urls: urls } };
  }

  #abortUrl({ body, origin }: Call): Reply {
    const { path, session_token: session, expires } = this.#session(body);
    return { json: { abort_upload_url: { url: origin + this.#grants.url({ may: "abort", path, session }, expires), headers: [] } } };
  }

  #session(body: Call["body"]): { path: string; session_token: string; expires: string | undefined } {
    const path = requiredString(body, "path");
    const session_token = requiredString(body, "session_token");
    this.#uploads.open(path, session_token);
    return { path, session_token, expires: optionalString(body, "expire_time") };
  }

  async #write(call: Call): Promise<Reply> {
    const grant = this.#grants.read(call.params["grant"] ?? "", "write", "write-part");
    if (grant.may === "write-part") {
      return { headers: { etag: await this.#uploads.writePart(grant.path, grant.session, grant.part, call.bytes) }, bytes: undefined };
    }
    await this.#files.write(grant.path, call.bytes, true);
    return { bytes: undefined };
  }

  async #abort(call: Call): Promise<Reply> {
    const { path, session } = this.#grants.read(call.params["grant"] ?? "", "abort");
    await this.#uploads.abort(path, session);
    return { bytes: undefined };
  }
}

/** Answers a URL that is refused as Amazon S3 does: the clients look for its XML to ask for a new one. */
function refused(handler: Handler): Handler {
  return async (call) => {
    try {
      return await handler(call);
    } catch (error) {
      if (!(error instanceof GrantError)) throw error;
      const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${error.code}</Code><Message>${error.message}</Message></Error>`;
      return { status: 403, headers: { "content-type": "application/xml" }, bytes: Buffer.from(xml) };
    }
  };
}

const pathOf = ({ params }: Call) => params["path"] ?? "";

const describe = (stats: Stats) => ({ "content-type": "application/octet-stream", "last-modified": stats.mtime.toUTCString(), "accept-ranges": "bytes" });

function overwrites({ query }: Call): boolean {
  const value = query.get("overwrite") ?? "false";
  if (value !== "true" && value !== "false") throw invalid(`'overwrite' must be true or false, not '${value}'.`);
  return value === "true";
}

function queryInteger({ query }: Call, name: string): number | undefined {
  const text = query.get(name) || undefined;
  return optionalInteger({ [name]: text === undefined ? undefined : Number(text) }, name, 0, 2 ** 31);
}

function readParts(value: unknown): Part[] {
  if (!Array.isArray(value)) throw invalid("'parts' must be a list of {part_number, etag}.");
  return value.map((part: unknown) => {
    if (!isObject(part)) throw invalid("'parts' must be a list of {part_number, etag}.");
    return { part_number: partNumber(optionalInteger(part, "part_number", 1, 10_000) ?? 0), etag: requiredString(part, "etag") };
  });
}

import type { IncomingMessage } from "node:http";
import { ApiError, invalid } from "./errors.js";

/** The body as it comes. Beyond the limit it is read and dropped, so that the client gets the 413 instead of a broken connection. */
export async function* limited(request: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) yield chunk;
  }
  if (size > limit) {
    throw new ApiError(413, "MAX_REQUEST_SIZE_EXCEEDED", `The body has ${size} bytes; this API accepts ${limit}.`);
  }
}

/** All bytes of a body. */
export async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The JSON object of a body; `{}` if there is none. */
export function parseObject(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, "MALFORMED_REQUEST", `The body is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("The body must be a JSON object.");
  }
  return value as Record<string, unknown>;
}

/** The fields of a multipart form. A file is its bytes, any other field its text. */
export async function parseForm(bytes: Buffer, contentType: string): Promise<Record<string, string | Buffer>> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }).formData();
  } catch {
    throw new ApiError(400, "MALFORMED_REQUEST", "The body is not a valid multipart form.");
  }
  const fields: Record<string, string | Buffer> = {};
  for (const [name, value] of form) {
    fields[name] = typeof value === "string" ? value : Buffer.from(await value.arrayBuffer());
  }
  return fields;
}

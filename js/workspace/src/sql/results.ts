import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describeType } from "../catalog/types.js";
import type { EngineResult } from "./engine.js";

export const FORMATS = ["JSON_ARRAY", "ARROW_STREAM", "CSV"] as const;
export type Format = (typeof FORMATS)[number];

/** A finished result: what is in its folder. */
export interface StoredResult extends EngineResult {
  format: Format;
  external: boolean;
}

/** Milliseconds that an external link is good for. */
export const LINK_LIFE = 15 * 60_000;

/** The manifest of a result. */
export function manifest({ columns, chunks, truncated, format }: StoredResult): object {
  const offsets = rowOffsets(chunks);
  return {
    format,
    schema: {
      column_count: columns.length,
      columns: columns.map(({ name, type }, position) => ({ name, ...describeType(type), position })),
    },
    total_chunk_count: chunks.length,
    ...(chunks.length > 0 && {
      chunks: chunks.map(({ rows, bytes }, i) => ({ chunk_index: i, row_offset: offsets[i], row_count: rows, byte_count: bytes })),
    }),
    total_row_count: chunks.reduce((sum, { rows }) => sum + rows, 0),
    total_byte_count: chunks.reduce((sum, { bytes }) => sum + bytes, 0),
    truncated,
  };
}

/** One chunk as the API gives it; `linkTo` makes the URL of an external link. */
export async function chunk(
  id: string,
  result: StoredResult,
  index: number,
  folder: string,
  linkTo: (chunk: number, expires: string) => string,
): Promise<object> {
  const { rows, bytes } = result.chunks[index] ?? { rows: 0, bytes: 0 };
  const next = index + 1 < result.chunks.length ? index + 1 : undefined;
  const place = {
    chunk_index: index,
    row_offset: rowOffsets(result.chunks)[index] ?? 0,
    row_count: rows,
    byte_count: bytes,
    ...(next !== undefined && { next_chunk_index: next, next_chunk_internal_link: `/api/2.0/sql/statements/${id}/result/chunks/${next}` }),
  };
  if (result.external) {
    if (result.chunks.length === 0) return { external_links: [] };
    const expiration = new Date(Date.now() + LINK_LIFE).toISOString();
    return { external_links: [{ ...place, external_link: linkTo(index, expiration), expiration }] };
  }
  // A result without rows has no chunk on disk, and no data.
  return { ...place, data_array: rows === 0 ? [] : (JSON.parse(await readFile(join(folder, String(index)), "utf8")) as unknown) };
}

/** The bytes of one chunk on disk. */
export const chunkBytes = (folder: string, index: number) => createReadStream(join(folder, String(index)));

function rowOffsets(chunks: Array<{ rows: number }>): number[] {
  let offset = 0;
  return chunks.map(({ rows }) => (offset += rows) - rows);
}

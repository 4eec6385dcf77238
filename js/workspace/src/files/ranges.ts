import { ApiError } from "../http/errors.js";

/** The first and last byte that a `Range` header asks of `size` bytes; nothing where the whole is to be sent. Throws a 416. */
export function readRange(header: string | undefined, size: number): { first: number; last: number } | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  // Several ranges at once, and units that are not bytes, may be answered with the whole (RFC 9110, section 14.2).
  if (from === "" && to === "") return undefined;
  const first = from === "" ? Math.max(size - Number(to), 0) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (first > last) throw new ApiError(416, "INVALID_PARAMETER_VALUE", `The file has ${size} bytes; it has no range '${header}'.`);
  return { first, last };
}

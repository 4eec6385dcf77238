import { invalid } from "./errors.js";

/** Items of a page where the client does not say. */
const DEFAULT_SIZE = 1000;

/**
 * One page of a list in the style of Unity Catalog: `max_results` (0 lets the server choose) and `page_token` in the query,
 * `next_page_token` in the reply unless the page is the last.
 */
export function page<Item>(items: Item[], key: string, query: URLSearchParams): Record<string, unknown> {
  const wanted = Number(query.get("max_results") ?? 0);
  if (!Number.isInteger(wanted) || wanted < 0) throw invalid("'max_results' must be 0 or more.");
  const token = query.get("page_token") ?? "";
  const place = token === "" ? "0" : Buffer.from(token, "base64url").toString();
  if (!/^\d+$/.test(place)) throw invalid("'page_token' must be the 'next_page_token' of a reply.");
  const from = Number(place);
  const to = from + (wanted === 0 ? DEFAULT_SIZE : Math.min(wanted, DEFAULT_SIZE));
  return { [key]: items.slice(from, to), ...(to < items.length && { next_page_token: Buffer.from(String(to)).toString("base64url") }) };
}

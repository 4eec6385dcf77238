import { denied, invalid } from './errors.js';
import type { Filters } from './types.js';

/**
 * The filters of a page, narrowed by those of the gateway's policy: both must hold.
 *
 * Databricks ANDs the members of a filter object, so members of different columns are put side by side. A column that
 * the policy names may be named by the page only as `{column: value}` or `{column: [values]}`, and what is left is the
 * values that both allow; every other way of naming it is refused rather than interpreted.
 *
 * @throws 403 when no value is left that the user may see
 */
export function narrow(page: Filters, policy: Filters): Filters {
  const governed = new Set(Object.keys(policy).flatMap(columnsOf));
  const narrowed = new Map(Object.entries(policy));
  for (const [key, value] of Object.entries(page)) {
    if (!columnsOf(key).some((column) => governed.has(column))) narrowed.set(key, value);
    else if (Object.hasOwn(policy, key) && !/\s/.test(key)) narrowed.set(key, shared(key, value, policy[key]));
    else throw invalid(`The filter \`${key.slice(0, 60)}\` is on a column that the gateway filters by itself.`, 'Leave it out.');
  }
  return Object.fromEntries(narrowed);
}

function shared(column: string, wanted: unknown, allowed: unknown): unknown[] {
  const permitted = [allowed].flat();
  const left = [wanted].flat().filter((value) => permitted.includes(value));
  if (left.length === 0) throw denied(`No value asked for in \`${column}\` may be seen by this user.`);
  return left;
}

/** The columns of `region`, `year >=`, `region NOT`, `title OR text`, in lower case. */
function columnsOf(key: string): string[] {
  return key.split(/\s+OR\s+/i).map((part) => (part.trim().split(/\s+/)[0] ?? '').replace(/[`"]/g, '').toLowerCase());
}

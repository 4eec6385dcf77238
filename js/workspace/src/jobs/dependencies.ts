import type { RunIf } from "./settings.js";
import type { Result } from "./states.js";

/** How a task that another waits for ended, and whether it took the branch that the other stands on. */
export interface Upstream {
  result: Result;
  taken: boolean;
}

type Fate = "success" | "failed" | "canceled" | "excluded";

function fate({ result, taken }: Upstream): Fate {
  if (result === "SUCCESS" || result === "SUCCESS_WITH_FAILURES") return taken ? "success" : "excluded";
  if (result === "FAILED" || result === "TIMEDOUT" || result === "UPSTREAM_FAILED") return "failed";
  return result === "CANCELED" || result === "UPSTREAM_CANCELED" ? "canceled" : "excluded";
}

/** Whether a task runs after those it waits for, or how it ends without. */
export function decide(runIf: RunIf, upstream: Upstream[]): "run" | Result {
  const fates = upstream.map(fate);
  const some = (wanted: Fate) => fates.includes(wanted);
  const all = (wanted: Fate) => fates.every((fate) => fate === wanted);
  if (fates.length === 0) return "run";
  if (all("excluded")) return "EXCLUDED";
  const blocked = some("failed") ? "UPSTREAM_FAILED" : some("canceled") ? "UPSTREAM_CANCELED" : "EXCLUDED";
  switch (runIf) {
    case "ALL_SUCCESS":
      return all("success") ? "run" : blocked;
    case "ALL_DONE":
      return "run";
    case "NONE_FAILED":
      return some("success") && !some("failed") && !some("canceled") ? "run" : blocked;
    case "AT_LEAST_ONE_SUCCESS":
      return some("success") ? "run" : blocked;
    case "ALL_FAILED":
      return all("failed") ? "run" : "EXCLUDED";
    case "AT_LEAST_ONE_FAILED":
      return some("failed") ? "run" : "EXCLUDED";
  }
}

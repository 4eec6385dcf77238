/** How far a run or a task of it is, in the words of the Jobs API (`RunLifeCycleState`). */
export type Life = "PENDING" | "QUEUED" | "BLOCKED" | "RUNNING" | "WAITING_FOR_RETRY" | "TERMINATING" | "TERMINATED" | "SKIPPED" | "INTERNAL_ERROR";

/** How it ended (`RunResultState`). */
export type Result =
  | "SUCCESS"
  | "SUCCESS_WITH_FAILURES"
  | "FAILED"
  | "TIMEDOUT"
  | "CANCELED"
  | "EXCLUDED"
  | "DISABLED"
  | "UPSTREAM_FAILED"
  | "UPSTREAM_CANCELED"
  | "MAXIMUM_CONCURRENT_RUNS_REACHED";

export interface State {
  life: Life;
  result?: Result;
  message: string;
  /** It was canceled, or its time was over. */
  cut?: boolean;
}

export const ENDED: readonly Life[] = ["TERMINATED", "SKIPPED", "INTERNAL_ERROR"];

const CODES: Record<Result, [code: string, type: string]> = {
  SUCCESS: ["SUCCESS", "SUCCESS"],
  SUCCESS_WITH_FAILURES: ["SUCCESS_WITH_FAILURES", "SUCCESS"],
  FAILED: ["RUN_EXECUTION_ERROR", "CLIENT_ERROR"],
  TIMEDOUT: ["CANCELED", "CLIENT_ERROR"],
  CANCELED: ["USER_CANCELED", "CLIENT_ERROR"],
  EXCLUDED: ["SKIPPED", "SUCCESS"],
  DISABLED: ["DISABLED", "CLIENT_ERROR"],
  UPSTREAM_FAILED: ["SKIPPED", "CLIENT_ERROR"],
  UPSTREAM_CANCELED: ["SKIPPED", "CLIENT_ERROR"],
  MAXIMUM_CONCURRENT_RUNS_REACHED: ["MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"],
};

/** The two forms in which the Jobs API tells a state: `state`, and `status` of version 2.1 and later. */
export function stateFields({ life, result, message, cut }: State): object {
  const state = {
    life_cycle_state: life,
    ...(result && { result_state: result }),
    state_message: message,
    user_cancelled_or_timedout: cut ?? false,
  };
  if (!ENDED.includes(life)) return { state, status: { state: life === "WAITING_FOR_RETRY" ? "WAITING" : life } };
  const [code, type] = result ? CODES[result] : ["INTERNAL_ERROR", "INTERNAL_ERROR"];
  return { state, status: { state: "TERMINATED", termination_details: { code, type, message } } };
}

/** How a whole run ended, by its last tasks: those that no other waits for. */
export function runState(tasks: Array<{ key: string; isLast: boolean; state: State }>): State {
  const last = tasks.filter(({ isLast }) => isLast).map(({ state }) => state.result);
  const failed = tasks.find(({ state }) => state.result === "FAILED" || state.result === "TIMEDOUT");
  const skipped = tasks.some(({ state }) => state.result === "UPSTREAM_FAILED");
  const why = failed
    ? `Task ${failed.key} failed with message: ${failed.state.message.replace(/\.$/, "")}.${skipped ? " This caused all downstream tasks to get skipped." : ""}`
    : "";
  if (last.some((result) => result === "FAILED" || result === "TIMEDOUT" || result === "UPSTREAM_FAILED")) {
    return { life: "INTERNAL_ERROR", result: "FAILED", message: why };
  }
  if (last.some((result) => result === "CANCELED" || result === "UPSTREAM_CANCELED")) {
    return { life: "TERMINATED", result: "CANCELED", message: "A task was cancelled.", cut: true };
  }
  return { life: "TERMINATED", result: failed ? "SUCCESS_WITH_FAILURES" : "SUCCESS", message: why };
}

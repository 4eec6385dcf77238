import { isObject } from "../http/fields.js";
import { readParameters } from "./settings.js";
import { stateFields } from "./states.js";
import type { Job, Run, TaskRun } from "./store.js";

type Fields = Record<string, unknown>;

/** A job as `jobs/get` and `jobs/list` tell it; the list leaves the tasks out unless they are asked for. */
export function jobReply(job: Job, withTasks: boolean): object {
  const { tasks, ...rest } = job.settings;
  const settings = withTasks ? { ...rest, tasks: tasks ?? [], format: "MULTI_TASK" } : { ...rest, format: "MULTI_TASK" };
  return { job_id: job.id, creator_user_name: job.creator, run_as_user_name: job.creator, created_time: job.created, settings };
}

/** A run as `runs/get` and `runs/list` tell it. */
export function runReply(run: Run, tasks: TaskRun[] | undefined, origin: string): object {
  const declared = readParameters(run.settings);
  const parameters = Object.entries(run.given.parameters).map(([name, value]) => ({ name, value, ...(declared[name] !== undefined && { default: declared[name] }) }));
  const { parameters: _, ...overriding } = run.given;
  return {
    job_id: run.job,
    run_id: run.id,
    number_in_job: run.number,
    creator_user_name: run.creator,
    original_attempt_run_id: run.id,
    run_name: run.name,
    run_type: run.type,
    format: "MULTI_TASK",
    trigger: run.trigger,
    run_page_url: `${origin}/#job/${run.job}/run/${run.id}`,
    ...times(run),
    ...stateFields(run.state),
    ...(parameters.length > 0 && { job_parameters: parameters }),
    ...(Object.keys(overriding).length > 0 && { overriding_parameters: overriding }),
    ...(tasks && { tasks: tasks.map((task) => taskReply(task, run, origin)) }),
  };
}

/** One task of a run: what was asked, and how it stands. */
export function taskReply(task: TaskRun, run: Run, origin: string): object {
  const asked = (run.settings["tasks"] as Fields[]).find(({ task_key }) => task_key === task.key) ?? {};
  const condition = isObject(asked["condition_task"]) && task.output.outcome !== undefined ? { condition_task: { ...asked["condition_task"], outcome: task.output.outcome } } : {};
  return {
    ...asked,
    ...condition,
    run_id: task.id,
    attempt_number: task.attempt,
    run_page_url: `${origin}/#job/${run.job}/run/${task.id}`,
    ...times(task),
    ...stateFields(task.state),
  };
}

/** The output of one task's run, as `runs/get-output` tells it. */
export function outputReply(task: TaskRun, run: Run, origin: string): object {
  const { values: _, outcome: __, ...output } = task.output;
  const about = { ...runReply(run, undefined, origin), ...taskReply(task, run, origin), run_name: task.key, job_run_id: run.id };
  return { metadata: about, ...output };
}

/** Milliseconds since 1970, and durations in milliseconds. */
function times({ start, begun, end }: Run | TaskRun): object {
  return {
    start_time: start,
    setup_duration: 0,
    cleanup_duration: 0,
    execution_duration: begun !== null && end !== null ? end - begun : 0,
    ...(end !== null && { end_time: end, run_duration: end - start }),
    queue_duration: begun === null ? 0 : begun - start,
  };
}

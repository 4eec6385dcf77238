import { Cron } from "croner";
import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalString, requiredString } from "../http/fields.js";
import type { Job, JobStore } from "./store.js";

type Fields = Record<string, unknown>;

/** The last values of the fields of a Quartz expression: second, minute, hour, day, month, weekday, year. */
const LAST = [59, 59, 23, 31, 12, 7, 2199];

/** Runs jobs at the times of their schedules. What was missed while the workspace was stopped is not made up for. */
export class JobSchedules {
  readonly #clocks = new Map<number, Cron>();
  readonly #run: (job: number) => void;

  /** `run` starts a run of a job. */
  constructor(store: JobStore, run: (job: number) => void) {
    this.#run = run;
    for (const job of store.jobs(undefined, 0, -1)) this.follow(job);
  }

  /** Takes a job's schedule as it is now. */
  follow({ id, settings }: Pick<Job, "id" | "settings">): void {
    this.forget(id);
    const clock = readSchedule(settings);
    if (!clock) return;
    clock.schedule(() => this.#run(id));
    this.#clocks.set(id, clock);
  }

  forget(job: number): void {
    this.#clocks.get(job)?.stop();
    this.#clocks.delete(job);
  }

  close(): void {
    for (const clock of this.#clocks.values()) clock.stop();
  }
}

/** Reads when a job runs by itself. Throws a 400 that names the field, or a 501 for what starts no job here. */
export function readSchedule(settings: Fields): Cron | undefined {
  for (const field of ["continuous", "trigger", "triggers"]) {
    const given = settings[field];
    if ((isObject(given) && given["pause_status"] !== "PAUSED") || Array.isArray(given)) {
      throw notImplemented(`'${field}' is not part of the local workspace. Give a 'schedule', or start runs with run-now.`);
    }
  }
  const { schedule } = settings;
  if (!isObject(schedule)) return undefined;
  const expression = requiredString(schedule, "quartz_cron_expression");
  const timezone = requiredString(schedule, "timezone_id");
  try {
    const clock = new Cron(cronPattern(expression), { timezone, alternativeWeekdays: true, unref: true });
    clock.nextRun(); // An unknown time zone is found when it is used.
    return optionalString(schedule, "pause_status") === "PAUSED" ? undefined : clock;
  } catch (error) {
    throw invalid(`'schedule' cannot be read: ${(error as Error).message} (quartz_cron_expression '${expression}', timezone_id '${timezone}')`);
  }
}

/** Quartz writes `5/10` for every tenth from the fifth on. */
const cronPattern = (expression: string) =>
  expression.trim().split(/\s+/).map((field, i) => field.replace(/(^|,)(\d+)\/(\d+)/g, `$1$2-${LAST[i]}/$3`)).join(" ");

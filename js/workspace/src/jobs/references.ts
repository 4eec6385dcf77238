import { TaskFailure } from "./task.js";

/** Puts values in the place of `{{…}}` in all strings of a task's settings. Fails for a reference that means nothing. */
export function resolve<T>(settings: T, lookup: (name: string) => unknown): T {
  if (typeof settings === "string") {
    return settings.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (reference, name: string) => {
      const value = lookup(name);
      if (value === undefined) throw new TaskFailure(`There is no value for the reference ${reference}`);
      return typeof value === "string" ? value : JSON.stringify(value);
    }) as T;
  }
  if (Array.isArray(settings)) return settings.map((item: unknown) => resolve(item, lookup)) as T;
  if (typeof settings !== "object" || settings === null) return settings;
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, resolve(value as unknown, lookup)])) as T;
}

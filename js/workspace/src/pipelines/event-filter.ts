import { invalid } from "../http/errors.js";
import type { StoredEvent } from "./store.js";

type Test = (event: StoredEvent) => boolean;

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  "=": (a, b) => a === b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** Reads the filter of an event list: conditions on level, id and timestamp, joined by `and`. */
export function readFilter(text: string): Test {
  const tests = text.split(/\s+and\s+/i).filter((part) => part.trim() !== "").map(readCondition);
  return (event) => tests.every((test) => test(event));
}

function readCondition(text: string): Test {
  const level = /^\s*level\s*(=|!=)\s*'(\w+)'\s*$/i.exec(text);
  if (level) return ({ level: own }) => (own === level[2]) === (level[1] === "=");
  const levels = /^\s*level\s+in\s*\(([^)]*)\)\s*$/i.exec(text);
  if (levels) {
    const wanted = [...(levels[1] ?? "").matchAll(/'(\w+)'/g)].map(([, name]) => name);
    return ({ level }) => wanted.includes(level);
  }
  const id = /^\s*id\s*=\s*'([^']*)'\s*$/i.exec(text);
  if (id) return (event) => event.id === id[1];
  const time = /^\s*timestamp\s*(<=|>=|=|<|>)\s*'([^']*)'\s*$/i.exec(text);
  const at = Date.parse(time?.[2] ?? "");
  const compare = COMPARE[time?.[1] ?? ""];
  if (compare && !Number.isNaN(at)) return (event) => compare(event.time, at);
  throw invalid(`'filter' cannot be read at '${text.trim()}'. It knows level='ERROR', level in ('INFO', 'WARN'), id='…' and timestamp > '2026-11-30T00:00:00Z', joined by and.`);
}

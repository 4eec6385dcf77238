import type { Executor } from "./task.js";
import { TaskFailure } from "./task.js";

/** Compares two values: equality as text, order as numbers. */
export const runCondition: Executor = async ({ work }) => {
  const [left, right] = [String(work["left"]), String(work["right"])];
  return { outcome: String(compare(String(work["op"]), left, right)) };
};

function compare(op: string, left: string, right: string): boolean {
  if (op === "EQUAL_TO") return left === right;
  if (op === "NOT_EQUAL") return left !== right;
  const [a, b] = [number(left), number(right)];
  if (op === "GREATER_THAN") return a > b;
  if (op === "GREATER_THAN_OR_EQUAL") return a >= b;
  return op === "LESS_THAN" ? a < b : a <= b;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new TaskFailure(`A comparison of order needs two numbers; '${text}' is none`);
  return value;
}

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The models that `lakelet-workspace fetch` knows, and the folders and files that it makes. See `weights/fetch.py`. */
const FILES = {
  "qwen-1.5b": ["qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"],
  smollm2: ["smollm2-135m-instruct-q4_1.gguf"],
  minilm: ["model.onnx", "tokenizer.json"],
} as const;
export type WeightsName = keyof typeof FILES;
export const WEIGHTS = Object.keys(FILES) as WeightsName[];

/** Where weights and data are kept: `$LAKELET_CACHE`, else `~/.cache/lakelet`. */
export const cacheDirectory = () => process.env["LAKELET_CACHE"] || join(homedir(), ".cache", "lakelet");

/** The path of one file of a fetched model. Throws an error that says how to fetch it. */
export function weightsPath<Name extends WeightsName>(name: Name, file: (typeof FILES)[Name][number]): string {
  const path = join(cacheDirectory(), "models", name, file);
  if (!existsSync(path)) {
    throw new Error(`The weights of ${name} are not there (${path}). Run: npx lakelet-workspace fetch ${name}`);
  }
  return path;
}

/** The file of a chat model given by a name that can be fetched, or by a path to any GGUF file. */
export function chatModelPath(model: string): string {
  if (model === "qwen-1.5b") return weightsPath(model, FILES[model][0]);
  if (model === "smollm2") return weightsPath(model, FILES[model][0]);
  const path = resolve(model);
  if (!existsSync(path)) {
    throw new Error(`--model: there is no file ${path}. Give a GGUF file, or one of ${WEIGHTS.slice(0, 2).join(", ")}.`);
  }
  return path;
}

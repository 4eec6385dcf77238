import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { notImplemented } from "../http/errors.js";
import { cacheDirectory } from "../models/weights.js";

/** Parts of the workspace that run in Python: `python/requirements-<part>.txt` pins what each needs. */
export const PYTHON_PARTS = ["sql", "spark", "mlflow"] as const;
export type PythonPart = (typeof PYTHON_PARTS)[number];

/** The folder of the Python scripts and the lists of what they need. */
const SCRIPTS = fileURLToPath(new URL("../../python", import.meta.url));

/** The environment that `fetchPython` makes. */
const environment = () => join(cacheDirectory(), "python");

/** The interpreter that runs the Python parts: `$LAKELET_PYTHON`, else the one that `lakelet-workspace fetch` makes. */
export const interpreter = () => process.env["LAKELET_PYTHON"] ?? join(environment(), "bin", "python");

export const scriptPath = (name: string) => join(SCRIPTS, name);

/** Throws a 501 that says how to install a part, unless all `modules` that it imports are there. */
export async function checkPython(part: PythonPart, modules: string[]): Promise<void> {
  const probe = "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))";
  const found = await promisify(execFile)(interpreter(), ["-c", probe, ...modules]).catch(() => undefined);
  if (found) return;
  throw notImplemented(
    `This needs Python with ${modules.join(", ")}, which ${interpreter()} lacks. ` +
      `Install it with: npx lakelet-workspace fetch ${part}  (or set LAKELET_PYTHON to an interpreter that has it)`,
  );
}

/** Installs what parts need into the environment of the workspace, which is made if there is none. Returns pip's exit code. */
export async function fetchPython(parts: PythonPart[]): Promise<number> {
  const python = join(environment(), "bin", "python");
  const made = existsSync(python) ? 0 : await run("python3", ["-m", "venv", environment()]);
  if (made !== 0) return made;
  const lists = parts.flatMap((part) => ["-r", join(SCRIPTS, `requirements-${part}.txt`)]);
  return run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...lists]);
}

async function run(command: string, args: string[]): Promise<number> {
  const [code] = (await once(spawn(command, args, { stdio: "inherit" }), "exit").catch(() => {
    throw new Error("fetch needs python3 with venv and pip. On Debian: apt-get install -y python3-venv python3-pip");
  })) as [number | null];
  return code ?? 1;
}

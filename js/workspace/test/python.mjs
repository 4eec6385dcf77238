// The Python that runs the SQL engines, and whether a test can use it.
import { spawnSync } from "node:child_process";
// It says which Python that is.
import "./support.mjs";

/** `{ skip: reason }` for a test that needs these modules and they are missing, else `{}`. */
export function needs(modules, { java = false } = {}) {
  const python = process.env.LAKELET_PYTHON;
  const probe = "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))";
  if (spawnSync(python, ["-c", probe, ...modules]).status !== 0) return { skip: `${python} lacks ${modules.join(", ")}` };
  if (java && spawnSync("java", ["-version"]).status !== 0) return { skip: "there is no java" };
  return {};
}

export const DUCKDB = needs(["duckdb", "sqlglot", "pyarrow", "numpy"]);
export const SPARK = needs(["pyspark", "sqlglot", "pyarrow"], { java: true });

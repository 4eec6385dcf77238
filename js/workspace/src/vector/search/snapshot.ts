import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { RowSet } from "../row-set.js";
import type { TextSnapshot } from "./text-index.js";
import { VectorGraph } from "./vector-graph.js";

/** Snapshots of another form are not read. */
const FORMAT = 1;

/** The search structures of an index. */
export interface Snapshot {
  text: TextSnapshot;
  graph: VectorGraph | undefined;
}

/** What is in the file beside the graph. */
interface State {
  format: number;
  text: TextSnapshot;
  graph?: { range: number; rows: Uint8Array; last: number };
}

/**
 * Writes a snapshot in the place of the one before, which stays until the new one is complete: in a folder of its own
 * that is renamed once all its files are on disk.
 */
export function saveSnapshot(folder: string, { text, graph }: Snapshot): void {
  const fresh = join(folder, "new");
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  if (graph) {
    graph.save(join(fresh, "graph"));
    sync(join(fresh, "graph"));
  }
  const state: State = { format: FORMAT, text };
  if (graph) state.graph = { range: graph.range, rows: graph.rows.bytes, last: graph.last };
  write(join(fresh, "state"), serialize(state));
  const current = join(folder, "current");
  const before = join(folder, "before");
  rmSync(before, { recursive: true, force: true });
  if (existsSync(current)) renameSync(current, before);
  renameSync(fresh, current);
  sync(folder);
  rmSync(before, { recursive: true, force: true });
}

/** The snapshot in a folder, or nothing if there is none that can be read: then all is made anew from the rows. */
export function loadSnapshot(folder: string, dimension: number): Snapshot | undefined {
  for (const name of ["current", "before"]) {
    const found = join(folder, name);
    if (!existsSync(found)) continue;
    try {
      const { format, text, graph } = deserialize(readFileSync(join(found, "state"))) as State;
      if (format !== FORMAT) continue;
      const { range = 0, rows, last = 0 } = graph ?? {};
      return { text, graph: graph && VectorGraph.load(join(found, "graph"), dimension, range, new RowSet(rows), last) };
    } catch {
      // A snapshot only saves time.
    }
  }
  return undefined;
}

function write(file: string, bytes: Buffer): void {
  const descriptor = openSync(file, "w");
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

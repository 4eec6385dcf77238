import { edit, nameAt, writeName, type Edit } from "../sql/text/names.js";
import { is, tokenize, type Token } from "../sql/text/tokens.js";
import { type Dataset, SourceError } from "./datasets.js";

/** A dataset with what it reads of the pipeline, and its query as an engine runs it. */
export interface Node {
  dataset: Dataset;
  /** Its full name in lower case, or for a temporary one the name alone. */
  id: string;
  /** The ids of the datasets that it reads. */
  reads: string[];
  /** Its query, with full names and without STREAM and LIVE. */
  query: string;
}

/** The nodes of a pipeline, each behind those that it reads. Throws a SourceError for names that are defined twice, and for circles. */
export function order(datasets: Dataset[], catalog: string, schema: string): Node[] {
  const full = ({ kind, name }: Pick<Dataset, "kind" | "name">) =>
    kind === "temporary view" ? (name.at(-1) ?? "") : writeName([catalog, schema].slice(0, 3 - name.length).concat(name));
  const names = new Map<string, Dataset>();
  for (const dataset of datasets) {
    const id = full(dataset).toLowerCase();
    const other = names.get(id);
    if (other) throw new SourceError(`${dataset.source}: ${full(dataset)} is defined already, in ${other.source}.`);
    names.set(id, dataset);
  }
  const find = (parts: string[]) => {
    const isLive = parts[0]?.toUpperCase() === "LIVE";
    const bare = isLive ? parts.slice(1) : parts;
    const id = [writeName(bare), full({ kind: "view", name: bare })].map((name) => name.toLowerCase()).find((name) => names.has(name));
    if (id === undefined && isLive) throw new SourceError(`${parts.join(".")} is not defined in the pipeline.`);
    return id;
  };
  const nodes = [...names].map(([id, dataset]) => node(id, dataset, find, (known) => full(names.get(known) as Dataset)));
  return sorted(nodes);
}

function node(id: string, dataset: Dataset, find: (parts: string[]) => string | undefined, full: (id: string) => string): Node {
  const tokens = tokenize(dataset.query);
  const edits: Edit[] = [];
  const reads = new Set<string>();
  const own = new Set(tokens.filter((_, at) => isCommonTable(tokens, at)).map(({ value }) => value.toLowerCase()));
  for (const at of tablePositions(tokens)) {
    const name = nameAt(tokens, at);
    if (!name || (name.parts.length === 1 && own.has(name.parts[0]?.toLowerCase() ?? ""))) continue;
    const known = find(name.parts);
    if (known === undefined) continue;
    reads.add(known);
    edits.push({ start: name.start, end: name.end, text: full(known) });
  }
  return { dataset, id, reads: [...reads], query: edit(dataset.query, [...edits, ...streams(tokens)]) };
}

/** `name AS (` of a WITH clause. */
const isCommonTable = (tokens: Token[], at: number) => is(tokens[at + 1], "AS") && is(tokens[at + 2], "(") && (is(tokens[at - 1], "WITH") || is(tokens[at - 1], ",") || is(tokens[at - 1], "RECURSIVE"));

/** Words that end a FROM clause. */
const AFTER_FROM = ["SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "QUALIFY", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "MINUS", "ON", "VALUES"];

/** Where names of tables stand: behind FROM, JOIN and TABLE, and behind commas and parentheses of a FROM clause. */
function tablePositions(tokens: Token[]): number[] {
  const positions: number[] = [];
  const inFrom = [false];
  for (const [at, token] of tokens.entries()) {
    const depth = inFrom.length - 1;
    if (is(token, "(")) inFrom.push((inFrom[depth] ?? false) && !isCall(tokens, at));
    else if (is(token, ")")) inFrom.pop();
    else if (is(token, "FROM") || is(token, "JOIN")) inFrom[depth] = true;
    else if (AFTER_FROM.some((word) => is(token, word))) inFrom[depth] = false;
    const before = tokens[at - 1];
    const starts = ["FROM", "JOIN", "TABLE", "STREAM"].some((word) => is(before, word)) || (inFrom.at(-1) === true && (is(before, ",") || is(before, "(")));
    if (starts && !is(token, "STREAM") && !is(token, "(")) positions.push(at);
  }
  return positions;
}

/** Whether a parenthesis opens the arguments of a function. `STREAM(name)` is none. */
const isCall = (tokens: Token[], at: number) => {
  const before = tokens[at - 1];
  const keyword = ["FROM", "JOIN", "STREAM", "LATERAL", ...AFTER_FROM].some((word) => is(before, word));
  return (before?.kind === "word" || before?.kind === "name") && !keyword;
};

/** Takes STREAM away, with its parentheses. */
function streams(tokens: Token[]): Edit[] {
  return tokens.flatMap((token, at) => {
    const before = tokens[at - 1];
    if (!is(token, "STREAM") || !(is(before, "FROM") || is(before, "JOIN") || is(before, ",") || is(before, "("))) return [];
    const open = tokens[at + 1];
    if (!is(open, "(") || open === undefined) return [{ start: token.start, end: token.end, text: "" }];
    const close = tokens[closing(tokens, at + 1)];
    if (close === undefined) return [];
    return [{ start: token.start, end: open.end, text: "" }, { start: close.start, end: close.end, text: "" }];
  });
}

function closing(tokens: Token[], open: number): number {
  let depth = 0;
  return tokens.findIndex((token, at) => {
    if (at < open) return false;
    if (is(token, "(")) depth++;
    if (is(token, ")")) depth--;
    return depth === 0;
  });
}

function sorted(nodes: Node[]): Node[] {
  const waiting = new Map(nodes.map((node) => [node.id, node]));
  const done: Node[] = [];
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(({ reads }) => reads.every((id) => !waiting.has(id)));
    if (free.length === 0) throw new SourceError(`These datasets read each other in a circle: ${[...waiting.keys()].join(", ")}.`);
    for (const node of free) {
      waiting.delete(node.id);
      done.push(node);
    }
  }
  return done;
}

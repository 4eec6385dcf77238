import { quoteName, quoteString } from "../sql/text/tokens.js";
import type { Node } from "./graph.js";

/** The statement that makes a dataset: a table is made anew, in one step, from its query. */
export function createStatement(node: Node, name: string, temporary: Map<string, Node>): string {
  const { kind, comment, properties } = node.dataset;
  const clauses = [comment !== undefined && `COMMENT ${quoteString(comment)}`, properties !== undefined && `TBLPROPERTIES ${properties}`];
  const what = kind === "view" ? "VIEW" : "TABLE";
  return [`CREATE OR REPLACE ${what} ${name}`, ...clauses.filter((clause) => clause !== false), `AS ${wholeQuery(node, temporary, true)}`].join("\n");
}

/** The statement that counts the rows of a dataset, and for each expectation those that break it. */
export function countStatement(node: Node, temporary: Map<string, Node>): string {
  const broken = node.dataset.expectations.map(({ condition }) => `count_if(NOT coalesce((${condition}), false))`);
  return `SELECT ${["count(*)", ...broken].join(", ")} FROM (${wholeQuery(node, temporary, false)}) AS source_rows`;
}

/** The query of a dataset, with the temporary views that it reads in front, its columns, and its rows as the expectations want them. */
function wholeQuery(node: Node, temporary: Map<string, Node>, dropped: boolean): string {
  const views = viewsOf(node, temporary).map((view) => `${quoteName(view.id)} AS (${shaped(view, true)})`);
  const query = shaped(node, dropped);
  return views.length === 0 ? query : `WITH ${views.join(", ")} SELECT * FROM (${query}) AS source_rows`;
}

function shaped({ dataset, query }: Node, dropped: boolean): string {
  const { columns, expectations } = dataset;
  const names = columns.map(({ name, type }) => (type === undefined ? quoteName(name) : `CAST(${quoteName(name)} AS ${type}) AS ${quoteName(name)}`));
  const conditions = dropped ? expectations.filter(({ otherwise }) => otherwise === "DROP").map(({ condition }) => `(${condition})`) : [];
  if (names.length === 0 && conditions.length === 0) return query;
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  // The columns of a definition name those of its query by position.
  const aliases = names.length === 0 ? "" : ` (${columns.map(({ name }) => quoteName(name)).join(", ")})`;
  return `SELECT ${names.length === 0 ? "*" : names.join(", ")} FROM (${query}) AS source_rows${aliases}${where}`;
}

/** The temporary views that a node reads, also through each other, each behind those that it reads. */
function viewsOf(node: Node, temporary: Map<string, Node>): Node[] {
  const found = new Set<Node>();
  const visit = (id: string) => {
    const view = temporary.get(id);
    if (!view || found.has(view)) return;
    view.reads.forEach(visit);
    found.add(view);
  };
  node.reads.forEach(visit);
  return [...found];
}

/** A hit of one search: the row number within its index, and how good it is by the measure of that search. */
export interface Hit {
  row: number;
  score: number;
}

/** The `limit` rows with the highest scores above zero, best first; of equal ones the first written. */
export function best(rows: Uint32Array, scores: Float32Array, limit: number): Hit[] {
  const floor = threshold(rows, scores, limit);
  const hits: Hit[] = [];
  let equal = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const score = scores[row]!;
    if (score > floor || (score === floor && floor > 0 && equal++ < limit)) hits.push({ row, score });
  }
  return hits.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, limit);
}

/** The `limit`-th highest score, or 0 if there are fewer rows. */
export function threshold(rows: Uint32Array, scores: Float32Array, limit: number): number {
  if (rows.length < limit) return 0;
  // The best scores so far, as a heap with the lowest of them at its root.
  const heap = new Float32Array(limit);
  let lowest = 0;
  for (let i = 0; i < rows.length; i++) {
    const score = scores[rows[i]!]!;
    if (score <= lowest) continue;
    sink(heap, score);
    lowest = heap[0]!;
  }
  return lowest;
}

/** Puts a value in the place of the root. */
function sink(heap: Float32Array, value: number): void {
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}

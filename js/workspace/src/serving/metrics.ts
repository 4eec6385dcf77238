/** Upper bounds of the latencies that are counted together, in milliseconds. */
const BUCKETS = [10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];

/** What an endpoint has done since the workspace started, in the names and the format that Databricks exports (Prometheus). */
export class EndpointMetrics {
  readonly #counts = BUCKETS.map(() => 0);
  #requests = 0;
  #refused = 0;
  #failed = 0;
  #milliseconds = 0;
  #inputTokens = 0;
  #outputTokens = 0;

  /** A request has ended. */
  ended(status: number, milliseconds: number): void {
    this.#requests++;
    if (status >= 500) this.#failed++;
    else if (status >= 400) this.#refused++;
    this.#milliseconds += milliseconds;
    const bucket = BUCKETS.findIndex((bound) => milliseconds <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** A model has told what it used. */
  used(input: number, output: number): void {
    this.#inputTokens += input;
    this.#outputTokens += output;
  }

  toText(endpoint: string): string {
    const label = `endpoint_name=${JSON.stringify(endpoint)}`;
    const counter = (name: string, help: string, value: number) => [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, `${name}{${label}} ${value}`];
    let sum = 0;
    const buckets = BUCKETS.map((bound, i) => `request_latency_ms_bucket{${label},le="${bound}"} ${(sum += this.#counts[i] ?? 0)}`);
    return [
      ...counter("request_count_total", "Requests.", this.#requests),
      ...counter("request_4xx_count_total", "Requests that were refused.", this.#refused),
      ...counter("request_5xx_count_total", "Requests that failed.", this.#failed),
      ...counter("input_tokens_total", "Tokens of prompts.", this.#inputTokens),
      ...counter("output_tokens_total", "Tokens of replies.", this.#outputTokens),
      "# HELP request_latency_ms Milliseconds until a request was answered in full.",
      "# TYPE request_latency_ms histogram",
      ...buckets,
      `request_latency_ms_bucket{${label},le="+Inf"} ${this.#requests}`,
      `request_latency_ms_sum{${label}} ${this.#milliseconds.toFixed(1)}`,
      `request_latency_ms_count{${label}} ${this.#requests}`,
      "",
    ].join("\n");
  }
}

// The gateway's audit, for people.

/** An audit line as a sentence. */
export function sentence({ request_id, user = 'nobody', route, status, error_code, ms, prompt_tokens = 0, completion_tokens = 0 }) {
  const end = error_code ? `${status} ${error_code}` : status;
  const tokens = prompt_tokens > 0 ? `, ${prompt_tokens} tokens in, ${completion_tokens} out` : '';
  return `${request_id} ${route} as ${user}: ${end} in ${seconds(ms)}${tokens}`;
}

/** A line of the log of an edge that runs on its own, for people. */
export function readable(line) {
  if (!line.startsWith('{')) return line;
  const told = JSON.parse(line);
  return told.route ? sentence(told) : `${told.request_id} failed: ${told.message ?? told.code}`;
}

/** A time as it is written in the log. */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

// What the core asks of JavaScript, in one call each. What has to be waited for has a number; `settle(number, isGood, value)`
// tells the core when it is over.

/** Tells the core that waits. One that has crashed was replaced, and its closures throw: nobody waits there any more. */
function tell(settle, number, isGood, value) {
  try {
    settle(number, isGood, value);
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) throw thrown;
  }
}

/** Waits for a promise, or for a value that is none. */
export function wait(promise, number, settle) {
  Promise.resolve(promise).then((value) => tell(settle, number, true, value), (thrown) => tell(settle, number, false, thrown));
}

/** Begins a timer, and returns what `stopTimer` takes. */
export function startTimer(ms, number, settle) {
  return setTimeout(tell, ms, settle, number, true);
}

export function stopTimer(timer) {
  clearTimeout(timer);
}

/**
 * Sends a request through a `fetch` function, and returns what aborts it. Names and values of the headers stand on lines of
 * their own. Databricks does not redirect its API, and a credential must not follow where something else leads.
 */
export function send(fetch, self, method, url, headerLines, bytes, number, settle) {
  const abort = new AbortController();
  const lines = headerLines.split('\n');
  const headers = {};
  for (let i = 0; i + 1 < lines.length; i += 2) headers[lines[i]] = lines[i + 1];
  const init = { method, headers, redirect: 'manual', signal: abort.signal };
  if (bytes.length > 0) init.body = bytes.slice();
  wait(new Promise((resolve) => resolve(fetch.call(self, url, init))), number, settle);
  return abort;
}

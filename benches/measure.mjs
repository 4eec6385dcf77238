// Microseconds a call: rounds of many calls, the median and the best round. Timings are wall time of this process, so that the
// best round shows what a quiet core gives.
export async function measure(call, { rounds = 15, roundMs = 60, warmupMs = 300 } = {}) {
  const asynchronous = call() instanceof Promise;
  const batch = async (count) => {
    for (let i = 0; i < count; i++) {
      if (asynchronous) await call();
      else call();
      // As a program does that waits for a network: the event loop turns, and what was collected as garbage is finalized.
      if (i % 50 === 49) await new Promise(setImmediate);
    }
  };
  let start = performance.now();
  let calls = 0;
  while (performance.now() - start < warmupMs) {
    await batch(10);
    calls += 10;
  }
  const count = Math.max(5, Math.round((roundMs * calls) / (performance.now() - start)));
  const times = [];
  for (let round = 0; round < rounds; round++) {
    start = performance.now();
    await batch(count);
    times.push(((performance.now() - start) * 1000) / count);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], best: times[0] };
}

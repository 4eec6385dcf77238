// What tests wait for.

/** The events of an event stream, as they come. */
export async function* events(response) {
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop();
    for (const frame of frames) yield { type: /^event: (.*)$/m.exec(frame)?.[1], ...JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '{}') };
  }
}

/** Waits for what has no other sign than that it is there. */
export async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

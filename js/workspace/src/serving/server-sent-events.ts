import { ApiError } from "../http/errors.js";

/** The JSON values of a stream of Server-Sent Events, until `[DONE]` or its end. A stream that breaks off fails with a 502. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown, void> {
  let rest = "";
  const text = new TextDecoder();
  try {
    for await (const bytes of body) {
      rest += text.decode(bytes, { stream: true });
      const frames = rest.split(/\r?\n\r?\n/);
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const data = dataOf(frame);
        if (data === "[DONE]") return;
        if (data !== "") yield JSON.parse(data);
      }
    }
  } catch (error) {
    throw new ApiError(502, "BAD_GATEWAY", `The stream of the external model broke off: ${(error as Error).message}`);
  }
}

function dataOf(frame: string): string {
  const lines = frame.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice("data:".length).trimStart()).join("\n");
}

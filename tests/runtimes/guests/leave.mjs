// What the component calls when a test panics: the call into the component fails with the message.
export default function leave(message) {
  throw new Error(message);
}

/** What a call of the suite comes to: `[name, ...arguments]` gives `{ok}` or `{error}`, in every JavaScript runtime. */
export function answer(suite, [name, ...args]) {
  try {
    return { ok: suite[name](...args) ?? null };
  } catch (error) {
    // A component's error is the `payload` of what is thrown, the web door's the text itself.
    return { error: String(error?.payload ?? error?.message ?? error) };
  }
}

/** The entry without a module: hand one to `init()`, compiled, as bytes, or where to fetch it. */
export * from '../index.js';

/** The entry without a module: hand one to `initDatabricks()`, compiled, as bytes, or where to fetch it. */
export * from '../../databricks/index.js';

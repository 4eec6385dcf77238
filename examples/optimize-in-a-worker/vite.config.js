import { defineConfig } from 'vite';

// The server adds the credential, so that the page has none. A page that is deployed has a gateway of `lakelet/gateway` in its place.
const { DATABRICKS_HOST: target, DATABRICKS_TOKEN: token } = process.env;
const workspace = { target, changeOrigin: true, headers: { authorization: `Bearer ${token}` } };

export default defineConfig({
  server: { proxy: target ? { '/serving-endpoints': workspace } : {} },
  worker: { format: 'es' },
});

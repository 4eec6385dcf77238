import { defineConfig } from 'vite';

// Every asset is a file of its own: the page's Content-Security-Policy allows no data: or inline sources.
export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [svelte()],
  base: './', // all is relative to the element base, which the server sets to the path that it is shown below
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // What the first load needs is one file, whatever of it the parts need that are loaded later, and what it asks for next, for jobs, is
    // another: they compress best so.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'first', test: /src\/main\.ts$/ },
            { name: 'jobs', test: /src\/(jobs\/jobs|how|exports|page\/(leaves|clipboard|geometry))/ },
          ],
        },
      },
    },
  },
  // For work on the page: "glyphbox serve" in one terminal, "npx vite" in another.
  server: { proxy: { '/api': 'http://127.0.0.1:8000', '/ping': 'http://127.0.0.1:8000' } },
})

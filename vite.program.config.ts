import { defineConfig } from "vite";

/**
 * The command line program as a few files instead of some four hundred: loading those takes half of its start. Tests run
 * the sources; what the scripts start is this, built again by set-up whenever a source has changed.
 */
export default defineConfig({
  ssr: { noExternal: true, external: ["koffi"] },
  build: {
    ssr: true,
    outDir: "dist",
    emptyOutDir: true,
    target: "node24",
    minify: false,
    rolldownOptions: {
      // Programs that are started by path; each finds the others beside itself, as in the sources.
      input: { main: "src/cli/main.ts", reader: "src/sensors/session-store/reader.ts" },
      output: { format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
    },
  },
});

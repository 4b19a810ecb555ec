import { defineConfig } from "vite";

/**
 * One script and one style sheet with fixed names: reports carry them inside, the browser serves them.
 * The virtual list is written for React; Preact takes its place and is a tenth of its size.
 */
export default defineConfig({
  resolve: { alias: { react: "preact/compat", "react-dom": "preact/compat" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    lib: {
      entry: "src/main.tsx",
      formats: ["iife"],
      name: "opencodeCaptureViewer",
      fileName: () => "viewer.js",
      cssFileName: "viewer",
    },
  },
  define: { "process.env.NODE_ENV": '"production"' },
});

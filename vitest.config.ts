import { defineConfig } from "vitest/config";

/** Unit tests stand beside the code; what needs an engine or a browser stands in tests/. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "web/**/*.test.ts", ".opencode/**/*.test.ts"],
          // These run beside each other, and beside whatever else the machine does.
          testTimeout: 60_000,
          // Left to itself, vitest keeps one of two cores free.
          maxWorkers: 2,
          setupFiles: ["tests/support/property-seed.ts"],
        },
      },
      {
        test: {
          name: "integration",
          include: [
            "tests/integration/**/*.test.ts",
            "tests/gate/**/*.test.ts",
            "tests/recall/**/*.test.ts",
            "tests/attribution/**/*.test.ts",
            "tests/fuzz/**/*.test.ts",
          ],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          // A real run waits about half of its time, so two at once keep two cores busy.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});

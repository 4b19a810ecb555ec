import { expect, test } from "vitest";
import { exec } from "./exec.ts";

test("a program that ends with 0 because it was asked to end did not succeed", async () => {
  const script = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
  for (const options of [{ timeoutMs: 200 }, { signal: AbortSignal.timeout(200) }]) {
    const result = await exec("sh", ["-c", script], options);
    expect(result.exitCode).toBe(null);
    expect(result.failure).toBeDefined();
  }
});

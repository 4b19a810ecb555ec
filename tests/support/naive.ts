import { spawnSync } from "node:child_process";

export interface NaiveResult {
  /** It did not end by itself. */
  hung: boolean;
  stdout: string;
  stderr: string;
}

/**
 * Runs what a program without the defence would do, in a process of its own, since the attack may hang or fill it.
 * `place` is the working directory.
 */
export function naively(place: string, code: string, patienceMs = 3000): NaiveResult {
  const args = ["--max-old-space-size=256", "--input-type=commonjs", "-e", `const fs = require("node:fs");\n${code}`];
  const options = { cwd: place, encoding: "utf8" as const, timeout: patienceMs, killSignal: "SIGKILL" as const };
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, options);
  return { hung: signal === "SIGKILL", stdout, stderr };
}

import * as fs from "node:fs";
import { writeFileAtomic } from "../core/atomic-file.ts";
import { bootId } from "../core/process-identity.ts";

/**
 * That the kernel sensor was loaded here, so that it need not be tried before each command: a trial costs as much as the
 * start of a run. Holds for this boot, this very program and these rights.
 */
export class SensorMemory {
  readonly #file: string;
  readonly #circumstances: string;

  /** `file`: where it is kept; `program`: the sensor's. */
  constructor(file: string, program: string) {
    this.#file = file;
    const { size, mtimeMs } = fs.statSync(program);
    this.#circumstances = `${JSON.stringify([bootId(), program, size, mtimeMs, rights()])}\n`;
  }

  worked(): boolean {
    try {
      return fs.readFileSync(this.#file, "utf8") === this.#circumstances;
    } catch {
      return false;
    }
  }

  remember(): void {
    try {
      writeFileAtomic(this.#file, this.#circumstances, 0o600);
    } catch {
      // Not there or read-only: it is tried again the next time.
    }
  }
}

/** The effective and the bounding set of capabilities, and what the system calls of this process go through. */
function rights(): string[] {
  const status = fs.readFileSync("/proc/self/status", "utf8");
  return status.split("\n").filter((line) => /^(CapEff|CapBnd|Seccomp):/.test(line));
}

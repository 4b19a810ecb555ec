import * as fs from "node:fs";
import * as path from "node:path";
import { exec } from "../core/exec.ts";
import type { EngineDescription } from "../engine/port.ts";
import { listenerProgram } from "../sensors/seccomp/listener-process.ts";

const PROBE_MS = 10_000;
/** Runtimes that hand notified calls to a listener, with the first version that does. */
const RUNTIMES: Readonly<Record<string, readonly [number, number]>> = { runc: [1, 1], crun: [0, 20] };

export interface LayerProblem {
  /** Why the layer can't be used here. */
  message: string;
  hint: string;
}

/** Why runs can't be observed by the seccomp layer here; undefined: they can. Tries it on a process of its own. */
export async function listenerProblem(
  packageRoot: string,
  engine: EngineDescription | undefined,
): Promise<LayerProblem | undefined> {
  const program = listenerProgram(packageRoot);
  if (!fs.existsSync(program)) {
    return { message: "the seccomp listener is not built", hint: "build it: scripts/build-sensor.sh" };
  }
  const problem = engine === undefined ? undefined : engineProblem(engine);
  if (problem !== undefined) return { message: problem, hint: "use Podman with runc 1.1 or newer, or with crun" };
  const tried = await exec(program, ["--probe"], { timeoutMs: PROBE_MS });
  if (tried.exitCode === 0) return undefined;
  const reason = tried.stderr.trim() || tried.failure || "its own trial failed";
  return { message: `the seccomp listener can't be used: ${reason}`, hint: "Linux 5.6 or newer is needed" };
}

function engineProblem({ kind, runtime, runtimeVersion }: EngineDescription): string | undefined {
  if (kind === "docker") return "docker's seccomp profiles can't name a listener";
  const name = path.basename(runtime);
  const least = RUNTIMES[name];
  if (least === undefined) return `the runtime ${name} is not known to hand calls to a listener`;
  const [major, minor] = (/(\d+)\.(\d+)/.exec(runtimeVersion ?? "") ?? []).slice(1).map(Number);
  if (major === undefined || minor === undefined) return undefined;
  const isOld = major < least[0] || (major === least[0] && minor < least[1]);
  return isOld ? `${name} ${major}.${minor} is too old to hand calls to a listener` : undefined;
}

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ulimitFlags } from "./create-args.ts";
import { type EngineCommand, failureWords, runEngine } from "./engine-command.ts";
import type { ProbeResult, UlimitCap, Ulimits } from "./engine-settings.ts";
import type { EngineDescription } from "./port.ts";
import { PROBE_EXIT_CODE, withProbeRootfs } from "./probe-program.ts";

const PROBE_TIMEOUT_MS = 30_000;
const LEAST_ULIMIT = 256;
/** After the one that podman is configured for. */
const OTHER_RUNTIMES = ["runc", "crun"];

const infoSchema = z.object({
  host: z.object({
    cgroupVersion: z.string().default(""),
    ociRuntime: z.object({ name: z.string(), path: z.string().default(""), version: z.string().default("") }),
    security: z.object({ rootless: z.boolean().default(false) }),
    serviceIsRemote: z.boolean().default(false),
  }),
  store: z.object({ graphDriverName: z.string().default("") }),
  version: z.object({ Version: z.string() }),
});

/**
 * Finds a runtime and ulimits with which podman really runs a container here, by running one of a single tiny program.
 * `scratchDir` must allow programs to run.
 */
export async function probePodman(bin: string, wanted: Ulimits, scratchDir: string): Promise<ProbeResult> {
  const triedByFailure = new Map<string, string[]>();
  for (const runtime of [undefined, ...OTHER_RUNTIMES]) {
    const result = await probeRuntime(bin, runtime, wanted, scratchDir);
    if (result.settings !== undefined) return result;
    const tried = triedByFailure.get(result.failure) ?? [];
    triedByFailure.set(result.failure, [...tried, runtime ?? "default runtime"]);
  }
  return { failure: [...triedByFailure].map(([failure, tried]) => `${tried.join(", ")}: ${failure}`).join("; ") };
}

async function probeRuntime(
  bin: string,
  runtime: string | undefined,
  wanted: Ulimits,
  scratchDir: string,
): Promise<ProbeResult> {
  const globalArgs = runtime === undefined ? [] : ["--runtime", runtime];
  const command: EngineCommand = { kind: "podman", bin, globalArgs };
  const info = await runEngine(command, ["info", "--format", "json"], { timeoutMs: PROBE_TIMEOUT_MS });
  if (info.exitCode !== 0) return { failure: failureWords(info) };
  const parsed = infoSchema.safeParse(parseJson(info.stdout));
  if (!parsed.success) return { failure: "podman info gives no readable answer" };
  if (parsed.data.host.serviceIsRemote) return { failure: "it runs containers on another machine" };
  const outcome = await withProbeRootfs(scratchDir, (rootfs) => findUlimits(command, rootfs, wanted));
  if ("failure" in outcome) return outcome;
  const runtimeFile = parsed.data.host.ociRuntime.path;
  return { settings: { command, description: describePodman(bin, parsed.data), ulimitCap: outcome, runtimeFile } };
}

/** Lowers the limits until a container runs: what may be set depends on more than this process's own hard limits. */
async function findUlimits(
  command: EngineCommand,
  rootfs: string,
  wanted: Ulimits,
): Promise<UlimitCap | { failure: string }> {
  const hard = await hardLimits();
  const tried = { nofile: Math.min(wanted.nofile, hard.nofile), nproc: Math.min(wanted.nproc, hard.nproc) };
  for (;;) {
    const failure = await runProbe(command, rootfs, tried);
    if (failure === undefined) return capOf(tried, wanted);
    // The kernel's numbers: 6 is RLIMIT_NPROC, 7 is RLIMIT_NOFILE.
    const which = /rlimit type 7|RLIMIT_NOFILE/i.test(failure) ? "nofile" : "nproc";
    const aboutLimits = /rlimit/i.test(failure);
    if (!aboutLimits || tried[which] <= LEAST_ULIMIT) return { failure };
    tried[which] = Math.max(LEAST_ULIMIT, Math.floor(tried[which] / 2));
  }
}

function capOf(worked: Ulimits, wanted: Ulimits): UlimitCap {
  return {
    ...(worked.nofile < wanted.nofile ? { nofile: worked.nofile } : {}),
    ...(worked.nproc < wanted.nproc ? { nproc: worked.nproc } : {}),
  };
}

/** Undefined when the program ran. */
async function runProbe(command: EngineCommand, rootfs: string, ulimits: Ulimits): Promise<string | undefined> {
  const result = await runEngine(
    command,
    [
      ...[
        "run",
        "--rm",
        "--label",
        "org.opencode-capture.probe=1",
        "--network",
        "none",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
      ],
      ...["--security-opt", "label=disable", "--read-only", "--read-only-tmpfs=false", "--log-driver", "none"],
      ...["--memory", "64m", "--memory-swap", "64m", "--pids-limit", "16", "--cpus", "1"],
      ...ulimitFlags(ulimits.nofile, ulimits.nproc),
      ...["--rootfs", rootfs, "/probe"],
    ],
    { timeoutMs: PROBE_TIMEOUT_MS },
  );
  if (result.exitCode !== PROBE_EXIT_CODE) return failureWords(result);
  // An agent without limits on memory and processes is no sandbox, so this is not "it works".
  if (!/limits are not supported and ignored/i.test(result.stderr)) return undefined;
  return "without root it can't limit memory and processes on this machine (cgroup v1): use sudo, or boot with cgroup v2";
}

function describePodman(bin: string, { host, store, version }: z.infer<typeof infoSchema>): EngineDescription {
  return {
    kind: "podman",
    bin,
    version: version.Version,
    runtime: host.ociRuntime.name,
    runtimeVersion: /version:?\s+(\S+)/.exec(host.ociRuntime.version)?.[1],
    rootless: host.security.rootless,
    cgroupVersion: host.cgroupVersion,
    storageDriver: store.graphDriverName || undefined,
  };
}

/** This process's own hard limits; podman and the container inherit them. */
export async function hardLimits(): Promise<Ulimits> {
  const text = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const hardOf = (label: string): number => {
    const value = new RegExp(`^${label}\\s+\\S+\\s+(\\d+)`, "m").exec(text)?.[1];
    return value === undefined ? Number.MAX_SAFE_INTEGER : Number(value);
  };
  return { nofile: hardOf("Max open files"), nproc: hardOf("Max processes") };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

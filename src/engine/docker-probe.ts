import { z } from "zod";
import { type EngineCommand, failureHint, failureWords, runEngine } from "./engine-command.ts";
import type { ProbeResult } from "./engine-settings.ts";

/** A daemon that is there answers at once; one behind a dead network must not hold up the start. */
const PROBE_TIMEOUT_MS = 5_000;

const infoSchema = z.object({
  ServerVersion: z.string().min(1),
  OSType: z.string(),
  DefaultRuntime: z.string().default(""),
  RuncCommit: z.object({ ID: z.string().default("") }).nullish(),
  CgroupVersion: z.string().default("1"),
  Driver: z.string().default(""),
  SecurityOptions: z.array(z.string()).nullish(),
});

/** Asks the daemon that `bin` talks to (its context, DOCKER_HOST or `host`) what it is. */
export async function probeDocker(bin: string, host: string | undefined): Promise<ProbeResult> {
  const command: EngineCommand = { kind: "docker", bin, globalArgs: host === undefined ? [] : ["--host", host] };
  const result = await runEngine(command, ["info", "--format", "{{json .}}"], { timeoutMs: PROBE_TIMEOUT_MS });
  const info = infoSchema.safeParse(parseJson(result.stdout));
  if (result.exitCode !== 0 || !info.success) {
    // Without a daemon the client still prints its half of the answer on standard output.
    const words = failureWords({ ...result, stdout: "" });
    return { failure: result.exitCode === 0 ? "it answers, but not like a Docker daemon" : withHint(words) };
  }
  if (info.data.OSType !== "linux") return { failure: `its daemon runs ${info.data.OSType} containers` };
  const { ServerVersion, DefaultRuntime, RuncCommit, CgroupVersion, Driver, SecurityOptions } = info.data;
  const settings = {
    command,
    description: {
      kind: "docker" as const,
      bin,
      version: ServerVersion,
      runtime: DefaultRuntime,
      runtimeVersion: RuncCommit?.ID || undefined,
      rootless: (SecurityOptions ?? []).some((option) => option.includes("name=rootless")),
      cgroupVersion: `v${CgroupVersion}`,
      storageDriver: Driver || undefined,
    },
    // The daemon sets limits with its own rights.
    ulimitCap: {},
  };
  return { settings };
}

function withHint(words: string): string {
  const hint = failureHint("docker", words);
  return hint === undefined ? words : `${words} [${hint}]`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { exec } from "../core/exec.ts";
import { CliEngine } from "./cli-engine.ts";
import { probeDocker } from "./docker-probe.ts";
import { printable } from "./engine-command.ts";
import type { Ulimits } from "./engine-settings.ts";
import { probePodman } from "./podman-probe.ts";
import type { ContainerEngine, EngineKind } from "./port.ts";
import { probeKey, recallSettings, rememberSettings } from "./probe-cache.ts";

/** What containers need for a coding agent; low enough for most machines. */
const DEFAULT_ULIMITS: Ulimits = { nofile: 1024, nproc: 4096 };
const INSTALL_HINT = "sudo apt-get install --yes --no-install-recommends podman runc";

export interface SelectOptions {
  /** `auto` (default) takes a Docker daemon that answers, else Podman. */
  engine?: "auto" | EngineKind | undefined;
  /** Command line program to use instead of `docker` or `podman`; which of the two it is, it says itself. */
  dockerBin?: string | undefined;
  /** Address of the Docker daemon, for example `unix:///run/x.sock`; default is what the docker client is set up for. */
  dockerHost?: string | undefined;
  /** Where the runtime and limits found for Podman are remembered. Without it each start probes again (half a second). */
  cacheFile?: string | undefined;
  /** Open files and processes that containers will ask for. */
  ulimits?: Ulimits | undefined;
}

/** One engine that was tried: it works, or why not. */
export type EngineAttempt =
  | { kind: EngineKind; bin: string; engine: ContainerEngine; failure?: undefined }
  | { kind: EngineKind; bin: string; engine?: undefined; failure: string };

/**
 * Finds an engine that works here.
 * Fails with CaptureError `engine-unavailable` that says what was tried, or `usage` when `dockerBin` is another engine.
 */
export async function selectEngine(options: SelectOptions = {}): Promise<ContainerEngine> {
  if (process.platform !== "linux") {
    throw new CaptureError("engine-unavailable", `captures are made on Linux only, this is ${process.platform}`, {
      hint: "copy finished captures here: list, show, report and browse work everywhere",
    });
  }
  const failures: string[] = [];
  for (const { kind, bin } of await candidates(options)) {
    const attempt = await tryEngine(kind, bin, options);
    if (attempt.engine !== undefined) return attempt.engine;
    failures.push(`${bin}: ${attempt.failure}`);
  }
  throw new CaptureError("engine-unavailable", `no container engine works here. ${failures.join(". ")}`, {
    hint:
      options.engine === "docker"
        ? "start the Docker daemon (sudo systemctl start docker), or use --engine podman"
        : `start a Docker daemon, or install Podman: ${INSTALL_HINT}`,
  });
}

/** Tries every engine that `options` allow, without stopping at the first that works. For `doctor`. */
export async function tryEngines(options: SelectOptions = {}): Promise<EngineAttempt[]> {
  const attempts = (await candidates(options)).map(({ kind, bin }) => tryEngine(kind, bin, options));
  return Promise.all(attempts);
}

async function candidates(options: SelectOptions): Promise<{ kind: EngineKind; bin: string }[]> {
  const wanted = options.engine ?? "auto";
  const { dockerBin } = options;
  if (dockerBin !== undefined) {
    const kind = await kindOf(dockerBin);
    if (wanted === "auto" || wanted === kind) return [{ kind, bin: dockerBin }];
    throw new CaptureError("usage", `${dockerBin} is ${kind}, but the engine asked for is ${wanted}`, {
      hint: `leave --engine out, or give --engine ${kind}`,
    });
  }
  const kinds: EngineKind[] = wanted === "auto" ? ["docker", "podman"] : [wanted];
  return kinds.map((kind) => ({ kind, bin: kind }));
}

/** What a program says it is: podman is often installed under docker's name. */
async function kindOf(bin: string): Promise<EngineKind> {
  const version = await exec(bin, ["--version"], { timeoutMs: 10_000 });
  if (/^podman\b/i.test(version.stdout)) return "podman";
  if (/^docker\b/i.test(version.stdout)) return "docker";
  const why = printable(version.failure ?? `it says ${JSON.stringify(version.stdout.slice(0, 80))}`);
  throw new CaptureError("engine-unavailable", `${bin} is no docker or podman command: ${why}`, {
    hint: "give --docker-bin the path of docker or podman, or leave it out",
  });
}

async function tryEngine(kind: EngineKind, bin: string, options: SelectOptions): Promise<EngineAttempt> {
  if (kind === "podman") return tryPodman(bin, options);
  const { settings, failure } = await probeDocker(bin, options.dockerHost);
  if (settings === undefined) return { kind, bin, failure };
  return { kind, bin, engine: new CliEngine(settings) };
}

async function tryPodman(bin: string, options: SelectOptions): Promise<EngineAttempt> {
  const kind = "podman";
  const { cacheFile, ulimits = DEFAULT_ULIMITS } = options;
  const asked = await probeKey(bin, ulimits);
  if ("failure" in asked) return { kind, bin, failure: asked.failure };
  const { key } = asked;
  const probe = async () => {
    const result = await probePodman(bin, ulimits, await probeDirectory(cacheFile));
    if (result.settings !== undefined && cacheFile !== undefined) {
      await rememberSettings(cacheFile, key, result.settings);
    }
    return result;
  };
  const known = cacheFile === undefined ? undefined : recallSettings(cacheFile, key);
  if (known !== undefined) return { kind, bin, engine: new CliEngine(known, async () => (await probe()).settings) };
  const { settings, failure } = await probe();
  return settings === undefined ? { kind, bin, failure } : { kind, bin, engine: new CliEngine(settings) };
}

/** Beside the cache: /tmp is often mounted so that no program may run on it. */
async function probeDirectory(cacheFile: string | undefined): Promise<string> {
  if (cacheFile === undefined) return tmpdir();
  const dir = path.dirname(cacheFile);
  return mkdir(dir, { recursive: true }).then(
    () => dir,
    () => tmpdir(),
  );
}

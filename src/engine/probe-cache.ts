import { readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../core/atomic-file.ts";
import { exec } from "../core/exec.ts";
import { bootId } from "../core/process-identity.ts";
import { failureWords } from "./engine-command.ts";
import type { EngineSettings, Ulimits } from "./engine-settings.ts";
import { hardLimits } from "./podman-probe.ts";

const settingsSchema = z.object({
  command: z.object({ kind: z.literal("podman"), bin: z.string(), globalArgs: z.array(z.string()) }),
  description: z.object({
    kind: z.literal("podman"),
    bin: z.string(),
    version: z.string(),
    runtime: z.string(),
    runtimeVersion: z.string().optional(),
    rootless: z.boolean(),
    cgroupVersion: z.string(),
    storageDriver: z.string().optional(),
  }),
  ulimitCap: z.object({ nofile: z.number().optional(), nproc: z.number().optional() }),
  runtimeFile: z.string().default(""),
});

const cacheSchema = z.object({
  /** What the choice depends on; another value makes it void. */
  key: z.string(),
  /** Size and time of the runtime's program, to see that it was replaced. */
  runtimeStamp: z.string(),
  settings: settingsSchema,
});

/**
 * Everything that decides whether a remembered choice still holds, or why there is nothing to choose from. Costs one
 * `podman --version`.
 */
export async function probeKey(bin: string, wanted: Ulimits): Promise<{ key: string } | { failure: string }> {
  const version = await exec(bin, ["--version"], { timeoutMs: 10_000 });
  if (version.exitCode !== 0) {
    const isMissing = version.exitCode === null && /ENOENT/.test(version.failure ?? "");
    return { failure: isMissing ? "it is not installed" : failureWords(version) };
  }
  const parts = [bin, version.stdout.trim(), bootId(), process.getuid?.(), await hardLimits(), wanted];
  return { key: JSON.stringify(parts) };
}

/** The remembered settings, if they were found under the same circumstances. */
export function recallSettings(cacheFile: string, key: string): EngineSettings | undefined {
  try {
    const { key: knownKey, runtimeStamp, settings } = cacheSchema.parse(JSON.parse(readFileSync(cacheFile, "utf8")));
    if (knownKey !== key || stampOf(settings.runtimeFile) !== runtimeStamp) return undefined;
    const { runtimeVersion, storageDriver, ...description } = settings.description;
    return { ...settings, description: { ...description, runtimeVersion, storageDriver } };
  } catch {
    // None yet, or not ours to understand: it is only a memory.
    return undefined;
  }
}

/** Remembers settings. That it can't be written only costs a probe the next time. */
export async function rememberSettings(cacheFile: string, key: string, settings: EngineSettings): Promise<void> {
  try {
    await mkdir(path.dirname(cacheFile), { recursive: true });
    const record = { key, runtimeStamp: stampOf(settings.runtimeFile ?? ""), settings };
    writeFileAtomic(cacheFile, `${JSON.stringify(record, null, 2)}\n`, 0o600);
  } catch {
    // A read-only or full home directory must not stop a capture.
  }
}

function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? "missing" : `${found.size}:${found.mtimeMs}`;
}

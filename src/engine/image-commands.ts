import { type EngineCommand, engineFailure, mustRunEngine, runEngine } from "./engine-command.ts";
import { parseImages } from "./inspect.ts";
import { withLargeTemp } from "./large-temp.ts";
import type { ImageInfo, LongCallOptions, PullOptions } from "./port.ts";

const IMPORT_TIMEOUT_MS = 15 * 60_000;
const PULL_TIMEOUT_MS = 10 * 60_000;
const MISSING = /no such image|image not known|no image found|not found/i;

/** What the engine knows of an image on this machine; undefined when it has none of that name. */
export async function inspectImage(command: EngineCommand, ref: string): Promise<ImageInfo | undefined> {
  const args = ["image", "inspect", ref];
  const result = await runEngine(command, args);
  if (result.exitCode === 0) return parseImages(result.stdout)[0];
  if (MISSING.test(result.stderr)) return undefined;
  throw engineFailure(command, args, result);
}

/** Imports a tar of a root file system; a broken import leaves no image of that name. */
export async function importImage(
  command: EngineCommand,
  tarFile: string,
  ref: string,
  changes: readonly string[],
  options: LongCallOptions = {},
): Promise<void> {
  const args = ["import", ...changes.flatMap((change) => ["--change", change]), tarFile, ref];
  const more = { timeoutMs: IMPORT_TIMEOUT_MS, ...signalOf(options) };
  await withLargeTemp((TMPDIR) => mustRunEngine(command, args, { ...more, env: { TMPDIR } }));
}

/** Gets an image from its registry; false when that can't be done in time. */
export async function pullImage(command: EngineCommand, ref: string, options: PullOptions = {}): Promise<boolean> {
  const result = await runEngine(command, ["pull", "--quiet", ref], {
    timeoutMs: options.timeoutMs ?? PULL_TIMEOUT_MS,
    ...signalOf(options),
  });
  return result.exitCode === 0;
}

/** Images that carry `label` (`key` or `key=value`). */
export async function listImages(command: EngineCommand, label: string): Promise<ImageInfo[]> {
  const ids = await mustRunEngine(command, ["images", "--quiet", "--no-trunc", "--filter", `label=${label}`]);
  const unique = [...new Set(ids.split("\n").filter((id) => id !== ""))];
  if (unique.length === 0) return [];
  // An image removed in between makes the call fail, yet the others are printed all the same.
  const result = await runEngine(command, ["image", "inspect", ...unique]);
  return parseImages(result.stdout);
}

/** Takes the name away, and the image with its last name; quiet when there is none. */
export async function removeImage(command: EngineCommand, ref: string): Promise<void> {
  const args = ["rmi", ref];
  const result = await runEngine(command, args);
  if (result.exitCode !== 0 && !MISSING.test(result.stderr)) throw engineFailure(command, args, result);
}

function signalOf(options: LongCallOptions): { signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}

import { SCHEMA_VERSION } from "../schema/common.ts";
import type { PlainObject } from "./reader-lenient.ts";
import { upgradeFsDiff0, upgradeNetwork0, upgradeProcessTree0, upgradeRun0 } from "./upgrade-from-0.ts";

/** Files whose form has a version. */
export type VersionedFile = "run" | "container" | "processTree" | "network" | "fsDiff" | "completeness";

type Step = (old: PlainObject) => PlainObject;

const unchanged: Step = (old) => old;

/** Step n takes a file from version n to n + 1. Pure, and every step is kept for ever: old captures stay readable. */
const STEPS: Readonly<Record<VersionedFile, readonly Step[]>> = {
  run: [upgradeRun0],
  container: [unchanged],
  processTree: [upgradeProcessTree0],
  network: [upgradeNetwork0],
  fsDiff: [upgradeFsDiff0],
  completeness: [unchanged],
};

export type Versioned =
  | { ok: true; version: number; value: PlainObject }
  | { ok: false; code: "newer-version" | "invalid-shape"; message: string };

/** Brings a file's content to the newest form. `version` of the result is the one it was written in. */
export function upgradeFile(kind: VersionedFile, raw: PlainObject): Versioned {
  const version = Object.hasOwn(raw, "schema_version") ? raw["schema_version"] : 0;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 0) {
    return { ok: false, code: "invalid-shape", message: "schema_version is not a whole number" };
  }
  if (version > SCHEMA_VERSION) {
    const message = `format ${version} is newer than this program, which reads up to ${SCHEMA_VERSION}: update opencode-capture`;
    return { ok: false, code: "newer-version", message };
  }
  let value = raw;
  for (const step of STEPS[kind].slice(version)) value = step(value);
  return { ok: true, version, value };
}

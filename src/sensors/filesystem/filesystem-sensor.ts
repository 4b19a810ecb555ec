import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { CompletenessClass, FsDiff, Gap } from "../../schema/observations.ts";
import { type Baseline, takeBaseline } from "../../workspace/baseline.ts";
import { type CompareOptions, compareTree, type TreeChanges } from "../../workspace/compare-tree.ts";
import { ContentBase } from "../../workspace/content-base.ts";
import { sensitivePaths } from "../../workspace/sensitive-paths.ts";
import type { Sensor, SensorReport } from "../port.ts";

export interface FilesystemSensorOptions {
  captureDir: string;
  /** The working copy, on the host. */
  workspaceDir: string;
  /** Private directory, out of the container's reach, with room for the texts of the working copy. */
  scratchDir: string;
  /** Other directories of the host that the agent writes to, and their names inside the container. */
  outside: readonly { hostDir: string; root: string }[];
  /** See config/sensitive_paths.json. */
  sensitivePatterns: readonly string[];
  /** Most changes listed one by one in the working copy; default 50,000. */
  maxChanges?: number;
}

/** A sensor whose contents of the working copy can be filled in by whoever makes that copy. */
export interface FilesystemSensor extends Sensor {
  /** Contents noted here (`add` and `remember`) need not be read again by `prepare`. */
  readonly base: ContentBase;
  /** Hashes of what the changed files hold at the end; settles when `stop` has compared, empty when that failed. */
  readonly hashesAtEnd: Promise<ReadonlySet<string>>;
}

/** OpenCode's cache of the project's id. */
const EXCLUDED = [".git/opencode"];
const OUTSIDE_MAX_CHANGES = 5000;
const SENSOR = "file-diff";

/**
 * Compares the working copy, the agent's home and its /tmp before and after the run, and writes observations/fs_diff.json.
 * It sees states, so it costs the agent nothing and can't be evaded, but what was made and removed in between is not seen.
 */
export function createFilesystemSensor(options: FilesystemSensorOptions): FilesystemSensor {
  return new StateComparison(options);
}

class StateComparison implements FilesystemSensor {
  readonly name = SENSOR;
  readonly base: ContentBase;
  readonly #hashes = Promise.withResolvers<ReadonlySet<string>>();
  readonly #options: FilesystemSensorOptions;
  #workspace: Baseline | undefined;
  readonly #outside: { root: string; baseline: Baseline }[] = [];
  #preparedAt: string | null = null;
  #attached = false;
  #stopped = false;

  constructor(options: FilesystemSensorOptions) {
    this.#options = options;
    this.base = ContentBase.create(options.scratchDir);
  }

  get hashesAtEnd(): Promise<ReadonlySet<string>> {
    return this.#hashes.promise;
  }

  async prepare(): Promise<void> {
    this.#workspace = await takeBaseline(this.#options.workspaceDir, { base: this.base, keepTexts: true });
    for (const { hostDir, root } of this.#options.outside) {
      this.#outside.push({ root, baseline: await takeBaseline(hostDir, { base: this.base, keepTexts: false }) });
    }
    this.#preparedAt = isoNow();
  }

  attach(): Promise<void> {
    this.#attached = true;
    return Promise.resolve();
  }

  async stop(): Promise<SensorReport> {
    if (this.#stopped) return { completeness: [], gaps: [] };
    this.#stopped = true;
    const from = this.#preparedAt;
    try {
      return await this.#compare();
    } catch (error) {
      const reason = `the file diff failed: ${errorMessage(error)}`;
      const gaps = FILE_CLASSES.map((name): Gap => ({ class: name, from, to: isoNow(), reason }));
      return { completeness: FILE_CLASSES.map((name) => this.#statement(name, "absent", reason)), gaps };
    } finally {
      // Settled already where the comparison succeeded.
      this.#hashes.resolve(new Set());
      this.base.close();
    }
  }

  async #compare(): Promise<SensorReport> {
    if (this.#workspace === undefined) throw new Error("the state before the run was not taken");
    const { workspaceDir, captureDir, maxChanges = 50_000, sensitivePatterns } = this.#options;
    const isSensitive = sensitivePaths(sensitivePatterns);
    const inside = await compareTree(this.#workspace, {
      isSensitive,
      textDiffs: true,
      excludedPaths: EXCLUDED,
      limits: { changes: maxChanges },
    });
    const outside = await this.#compareOutside({
      isSensitive,
      textDiffs: false,
      limits: { changes: OUTSIDE_MAX_CHANGES },
    });
    this.#hashes.resolve(hashesOf([inside, ...outside.map(({ found }) => found)]));
    const value: FsDiff = {
      schema_version: SCHEMA_VERSION,
      generated_at: isoNow(),
      workspace_dir: workspaceDir,
      counts: inside.counts,
      touched_sensitive_paths: inside.touchedSensitive,
      changes: inside.changes,
      truncated: inside.truncated,
      outside_workspace: outside.map(({ root, found }) => ({
        root,
        counts: found.counts,
        changes: found.changes,
        truncated: found.truncated,
      })),
      excluded: inside.excluded,
    };
    writeJsonAtomic(path.join(captureDir, LAYOUT.fsDiff), value);
    return this.#report(
      inside,
      outside.map(({ found }) => found),
    );
  }

  async #compareOutside(options: CompareOptions): Promise<{ root: string; found: TreeChanges }[]> {
    const results: { root: string; found: TreeChanges }[] = [];
    for (const { root, baseline } of this.#outside) results.push({ root, found: await compareTree(baseline, options) });
    return results;
  }

  #report(inside: TreeChanges, outside: readonly TreeChanges[]): SensorReport {
    const unreadableBefore = this.#workspace?.unreadable ?? 0;
    const notes = [
      ...(unreadableBefore > 0 ? [`${unreadableBefore} files could not be read before the run`] : []),
      ...(this.base.failure === undefined ? [] : [`texts from before the run were lost (${this.base.failure})`]),
    ];
    return {
      completeness: [
        this.#statement("file-workspace", "sampled", reasonFor([inside], notes)),
        this.#statement("file-outside", "sampled", reasonFor(outside, [])),
      ],
      gaps: [...this.#gaps("file-workspace", [inside]), ...this.#gaps("file-outside", outside)],
    };
  }

  #gaps(name: string, found: readonly TreeChanges[]): Gap[] {
    const reasons = found.flatMap(({ unreadable, stopped, noXattrs }) => [
      ...unreadable.map((place) => `could not be read at the end: ${place || "."}`),
      ...(stopped === undefined ? [] : [`${stopped} the comparison was ended`]),
      ...(noXattrs === undefined ? [] : [`extended attributes could not be read: ${noXattrs}`]),
    ]);
    return reasons.map((reason) => ({ class: name, from: this.#preparedAt, to: isoNow(), reason }));
  }

  #statement(
    name: (typeof FILE_CLASSES)[number],
    level: CompletenessClass["level"],
    reason: string,
  ): CompletenessClass {
    return {
      class: name,
      level,
      sensor: SENSOR,
      reason,
      lost: null,
      from: this.#preparedAt,
      to: isoNow(),
      started_before_agent: this.#attached && this.#preparedAt !== null,
    };
  }
}

function hashesOf(found: readonly TreeChanges[]): Set<string> {
  return new Set(found.flatMap(({ changes }) => changes.flatMap(({ after_sha256 }) => after_sha256 ?? [])));
}

const FILE_CLASSES = ["file-workspace", "file-outside"] as const;

function reasonFor(found: readonly TreeChanges[], notes: readonly string[]): string {
  const parts = [
    "the states before and after the run were compared file by file; what was made and removed in between is not seen",
    ...cutNotes(found),
    ...notes,
  ];
  return parts.join("; ");
}

function cutNotes(found: readonly TreeChanges[]): string[] {
  const stopped = found.find((one) => one.stopped !== undefined)?.stopped;
  if (stopped !== undefined)
    return [`the comparison was ended ${stopped}: the counts are lower bounds, and what was deleted is not known`];
  return found.some(({ truncated }) => truncated) ? ["the list is cut, the counts are not"] : [];
}

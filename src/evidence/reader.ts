import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errorMessage } from "../core/errors.ts";
import { riskLevel } from "../schema/common.ts";
import { containerRecord } from "../schema/container.ts";
import { issueSource } from "../schema/issue.ts";
import { type Completeness, completeness, completenessClass, fileChange, gap } from "../schema/observations.ts";
import { runRecord } from "../schema/run.ts";
import {
  type ContainerView,
  changeCountsView,
  connectionView,
  type FsDiffView,
  fsDiffView,
  type NetworkView,
  networkView,
  type ProcessTreeView,
  processTreeView,
  processView,
  type RunView,
} from "../schema/view.ts";
import { LAYOUT } from "./layout.ts";
import { type Loaded, loadJson, type ReadProblem } from "./reader-json.ts";
import { FaultList, isObject, lenientArray, lenientObject, type PlainObject } from "./reader-lenient.ts";
import { upgradeFile, type VersionedFile } from "./upgrade.ts";

const MIB = 1 << 20;
const MAX_RUN_BYTES = 16 * MIB;

/** A capture directory that was opened for reading. Nothing here ever writes to it. */
export interface OpenCapture {
  /** Real path. */
  dir: string;
  name: string;
}

/**
 * Opens a capture directory.
 * @throws CaptureError `capture-not-found` when it is no directory or can't be reached.
 */
export function openCapture(dir: string): OpenCapture {
  try {
    const real = fs.realpathSync.native(dir);
    if (!fs.statSync(real).isDirectory()) throw new Error("not a directory");
    return { dir: real, name: path.basename(real) };
  } catch (error) {
    throw new CaptureError("capture-not-found", `no capture at ${dir}: ${errorMessage(error)}`, {
      cause: error,
      hint: "list the captures: opencode-capture list",
    });
  }
}

function loadObject(capture: OpenCapture, file: string, maxBytes?: number): Loaded<PlainObject> {
  const loaded = loadJson(capture.dir, file, maxBytes);
  if (loaded.problems.length > 0) return { value: null, problems: loaded.problems };
  if (isObject(loaded.value)) return { value: loaded.value, problems: [] };
  return { value: null, problems: [{ file, code: "invalid-shape", message: `${file} is not a JSON object` }] };
}

interface VersionedObject {
  value: PlainObject;
  version: number;
}

function loadVersioned(capture: OpenCapture, kind: VersionedFile, maxBytes?: number): Loaded<VersionedObject> {
  const file = LAYOUT[kind];
  const loaded = loadObject(capture, file, maxBytes);
  if (loaded.value === null) return { value: null, problems: loaded.problems };
  const upgraded = upgradeFile(kind, loaded.value);
  if (upgraded.ok) return { value: { value: upgraded.value, version: upgraded.version }, problems: [] };
  const problem: ReadProblem = { file, code: upgraded.code, message: `${file}: ${upgraded.message}` };
  return { value: null, problems: [problem] };
}

/** Applies `read` to a file that could be loaded; its faults become problems of that file. */
function readVersioned<T>(
  capture: OpenCapture,
  kind: VersionedFile,
  read: (object: PlainObject, faults: FaultList, version: number) => T,
  maxBytes?: number,
): Loaded<T> {
  const loaded = loadVersioned(capture, kind, maxBytes);
  if (loaded.value === null) return { value: null, problems: loaded.problems };
  const faults = new FaultList(LAYOUT[kind]);
  const value = read(loaded.value.value, faults, loaded.value.version);
  return { value, problems: faults.problems() };
}

const { schema_version: _version, ...runShape } = runRecord.shape;

/** Some keys of `meta/run.json`: a list of thousands of captures can't look at every one. */
export function readRunKeys<K extends keyof typeof runShape>(
  capture: OpenCapture,
  keys: readonly K[],
): Loaded<Pick<RunView, K | "schema_version">> {
  // Which keys it has is what was asked for; Object.fromEntries can't say so.
  const shape = Object.fromEntries(keys.map((key) => [key, runShape[key]])) as Pick<typeof runShape, K>;
  return readVersioned(
    capture,
    "run",
    // The same for the values: each is one of its schema's, or null.
    (object, faults, version) =>
      ({ ...lenientObject(shape, object, faults), schema_version: version }) as Pick<RunView, K | "schema_version">,
    MAX_RUN_BYTES,
  );
}

/** `meta/run.json`. */
export function readRun(capture: OpenCapture): Loaded<RunView> {
  return readVersioned(
    capture,
    "run",
    (object, faults, version) => ({ ...lenientObject(runShape, object, faults), schema_version: version }),
    MAX_RUN_BYTES,
  );
}

/** `meta/container.json`; missing in captures of the earlier program. */
export function readContainer(capture: OpenCapture): Loaded<ContainerView> {
  const { schema_version: _, engine_inspect: inspect, ...shape } = containerRecord.shape;
  return readVersioned(
    capture,
    "container",
    (object, faults, version) => ({
      ...lenientObject(shape, object, faults),
      engine_inspect: inspect.parse(object["engine_inspect"]),
      schema_version: version,
    }),
    16 * MIB,
  );
}

const { files: _files, ...issueShape } = issueSource.extend({ risk_level: riskLevel }).shape;
const fileName = issueSource.shape.files.unwrap().element;

export interface IssueView {
  id: string | null;
  risk_level: string | null;
  title: string | null;
  prompt: string | null;
  /** Source paths. */
  files: string[];
}

/** `input/issue.json`. */
export function readIssue(capture: OpenCapture): Loaded<IssueView> {
  const file = LAYOUT.issue;
  const loaded = loadObject(capture, file, 16 * MIB);
  if (loaded.value === null) return { value: null, problems: loaded.problems };
  const faults = new FaultList(file);
  const files = lenientArray(fileName, loaded.value["files"], "files", faults);
  const value = {
    ...lenientObject(issueShape, loaded.value, faults),
    files: files.map((one) => (typeof one === "string" ? one : one.source)),
  };
  return { value, problems: faults.problems() };
}

/** `observations/process_tree.json`, without its snapshots. */
export function readProcessTree(capture: OpenCapture): Loaded<ProcessTreeView> {
  const { processes: _, ...shape } = processTreeView.shape;
  return readVersioned(capture, "processTree", (object, faults) => ({
    ...lenientObject(shape, object, faults),
    processes: lenientArray(processView, object["processes"], "processes", faults),
  }));
}

/** `observations/network.json`, without its snapshots. */
export function readNetwork(capture: OpenCapture): Loaded<NetworkView> {
  const { connections: _, ...shape } = networkView.shape;
  return readVersioned(capture, "network", (object, faults) => ({
    ...lenientObject(shape, object, faults),
    connections: lenientArray(connectionView, object["connections"], "connections", faults),
  }));
}

/** `observations/fs_diff.json`. */
export function readFsDiff(capture: OpenCapture): Loaded<FsDiffView> {
  const { changes: _, outside_workspace: __, counts: ___, ...shape } = fsDiffView.shape;
  return readVersioned(capture, "fsDiff", (object, faults) => {
    const outside = object["outside_workspace"];
    return {
      ...lenientObject({ ...shape, counts: changeCountsView }, object, faults),
      changes: lenientArray(fileChange, object["changes"], "changes", faults),
      outside_workspace: Array.isArray(outside) ? readOutside(outside, faults) : null,
    };
  });
}

function readOutside(areas: readonly unknown[], faults: FaultList): NonNullable<FsDiffView["outside_workspace"]> {
  const element = fsDiffView.shape.outside_workspace.unwrap().element;
  return areas.slice(0, 100).flatMap((area, index) => {
    const name = `outside_workspace[${index}]`;
    if (!isObject(area)) {
      faults.add(`${name} is not an object`);
      return [];
    }
    const changes = lenientArray(fileChange, area["changes"], `${name}.changes`, faults);
    return lenientArray(element, [{ ...area, changes }], name, faults);
  });
}

/** `observations/completeness.json`; missing in captures of the earlier program. */
export function readCompleteness(capture: OpenCapture): Loaded<Completeness> {
  const loaded = loadVersioned(capture, "completeness");
  if (loaded.value === null) return { value: null, problems: loaded.problems };
  const faults = new FaultList(LAYOUT.completeness);
  const raw = loaded.value.value;
  const parsed = completeness.safeParse({
    ...raw,
    classes: lenientArray(completenessClass, raw["classes"], "classes", faults),
    gaps: lenientArray(gap, raw["gaps"], "gaps", faults),
  });
  if (parsed.success) return { value: parsed.data, problems: faults.problems() };
  faults.add("verdict or time is missing");
  return { value: null, problems: faults.problems() };
}

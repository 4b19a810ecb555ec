import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { PACKAGE_ROOT, toolVersion } from "../core/package-root.ts";
import { ensureAgentImage } from "../engine/image/agent-image.ts";
import type { ContainerEngine, ImageInfo } from "../engine/port.ts";
import { selectEngine } from "../engine/select.ts";
import { ensureCaptureRoot } from "../evidence/capture-directory.ts";
import { buildPrompt } from "../issues/prompt.ts";
import { type RunModel, resolveModel } from "../issues/resolve-model.ts";
import { IDLE_LIMIT_SECONDS, TIME_LIMIT_SECONDS } from "../sandbox/limits.ts";
import type { Issue } from "../schema/issue.ts";
import { packetProgram } from "../sensors/packets/packet-process.ts";
import { checkRoom } from "../supervisor/disk-room.ts";
import type { RunPlan } from "../supervisor/plan.ts";
import { recoverLostRuns } from "../supervisor/recover.ts";
import { runLimits } from "../supervisor/run-limits.ts";
import { loadSensitivePatterns } from "../workspace/sensitive-paths.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { chooseSensor, type SensorChoice } from "./choose-sensor.ts";
import { deriveCapture } from "./derive-capture.ts";
import { gatewayFor, livePlaces } from "./live-model.ts";
import { readInstructions } from "./opencode-config.ts";
import type { Progress } from "./progress.ts";
import { lastSelftest } from "./selftest-store.ts";
import type { Settings } from "./settings.ts";

/** What all runs of one command share. */
export interface RunBase {
  settings: Settings;
  engine: ContainerEngine;
  image: ImageInfo;
  imageRef: string;
  sensitivePatterns: readonly string[];
  /** How runs are observed; a new answer for each, as a run may have to change it. */
  sensor(): SensorChoice;
}

/**
 * Everything that must work before the first capture directory is made: captures can be written, an engine, the image.
 * Also finishes and removes what an earlier supervisor left when it was killed.
 */
export async function prepareRuns(settings: Settings, progress: Progress, signal: AbortSignal): Promise<RunBase> {
  ensureCaptureRoot(settings.capture_root);
  checkRoom(settings.capture_root, runLimits(settings.limits));
  const sensitivePatterns = loadSensitivePatterns(
    [settings.project, PACKAGE_ROOT].map((dir) => path.join(dir, "config", "sensitive_paths.json")),
  );
  progress.status("looking for a container engine");
  const engine = await selectEngine({
    engine: settings.engine,
    ...(settings.docker_bin === undefined ? {} : { dockerBin: settings.docker_bin }),
    cacheFile: path.join(cacheDirectory(), "engine.json"),
  });
  const { kind, version, runtime } = engine.description;
  progress.line(`engine   ${kind} ${version}, runtime ${runtime}`);
  const choosing = chooseSensor(
    settings.sensor,
    PACKAGE_ROOT,
    engine.description,
    path.join(cacheDirectory(), "kernel-sensor"),
  );
  // What was asked for and can't be had is told before an image is built.
  if (settings.sensor !== "auto") await choosing;
  const [lost, found, sensor] = await Promise.all([
    recoverLostRuns({ captureRoot: settings.capture_root, engine, derive: deriveCapture }),
    findImage(settings, engine, progress, signal),
    choosing,
  ]);
  for (const capture of lost.finished) progress.line(`cleaned  ${capture} was left by a supervisor that was killed`);
  for (const problem of lost.problems) progress.line(`warning  ${problem}`);
  progress.status(undefined);
  return { settings, engine, ...found, sensitivePatterns, sensor };
}

async function findImage(
  settings: Settings,
  engine: ContainerEngine,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ imageRef: string; image: ImageInfo }> {
  if (settings.image_ref !== undefined) return findGivenImage(settings.image_ref, engine, progress);
  const built = await ensureAgentImage(engine, {
    cacheDir: cacheDirectory(),
    onProgress: (line) => progress.line(`image    ${line}`),
    signal,
  });
  return { imageRef: built.ref, image: built.info };
}

async function findGivenImage(
  ref: string,
  engine: ContainerEngine,
  progress: Progress,
): Promise<{ imageRef: string; image: ImageInfo }> {
  const known = await engine.inspectImage(ref);
  if (known !== undefined) return { imageRef: ref, image: known };
  progress.status(`pulling ${ref}`);
  const pulled = (await engine.pullImage(ref)) ? await engine.inspectImage(ref) : undefined;
  if (pulled !== undefined) return { imageRef: ref, image: pulled };
  throw new CaptureError("image-missing", `${engine.description.kind} has no image ${ref} and could not pull it`, {
    hint: `see \`${engine.description.bin} images\`, or leave --image-ref out to use the image that this program builds`,
  });
}

/** The model of one issue's run. Needs no engine, so a missing script is told before anything is set up. */
export function modelFor(settings: Settings, issue: Issue): RunModel {
  const live = livePlaces(settings, process.env);
  return resolveModel(settings.model, { issue, tasksDir: path.dirname(settings.issues_path), live });
}

/** The plan of one issue's run. */
export function planRun(base: RunBase, issue: Issue, model: RunModel): RunPlan {
  const { settings } = base;
  const limits = runLimits(settings.limits);
  return {
    issue,
    prompt: buildPrompt(issue),
    projectDir: settings.project,
    captureRoot: settings.capture_root,
    keepWorkspace: settings.keep_workspace,
    engine: base.engine,
    image: base.image,
    imageRef: base.imageRef,
    opencodeBin: settings.opencode_bin,
    timeoutSeconds: settings.timeout_seconds ?? TIME_LIMIT_SECONDS[issue.risk_level],
    idleSeconds: settings.idle_seconds ?? IDLE_LIMIT_SECONDS,
    ...base.sensor(),
    packetWitness: { program: packetProgram(PACKAGE_ROOT) },
    selftest: lastSelftest(),
    sensitivePatterns: base.sensitivePatterns,
    pluginFile: path.join(PACKAGE_ROOT, ".opencode", "plugins", "mas_safe_security.ts"),
    seccompProfile: path.join(PACKAGE_ROOT, "config", "seccomp.json"),
    toolVersion: toolVersion(),
    instructions: readInstructions(settings, issue),
    settings: { ...settings, limits },
    limits,
    createGateway: (captureDir) => gatewayFor(model, settings, captureDir),
  };
}

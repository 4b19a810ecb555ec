import type { ContainerEngine, EngineDescription, EngineKind } from "../../engine/port.ts";
import type { EngineAttempt } from "../../engine/select.ts";
import type { DoctorCheck } from "./report.ts";

const TITLES: Readonly<Record<EngineKind, string>> = { docker: "Docker", podman: "Podman" };
const FIXES: Readonly<Record<EngineKind, string>> = {
  docker: "sudo systemctl start docker",
  podman: "scripts/setup.sh run",
};

/** One check an engine, in the order in which a run tries them, then the one it takes. Only having none is a "no". */
export function checkEngines(attempts: readonly EngineAttempt[]): DoctorCheck[] {
  const used = engineInUse(attempts);
  return [...attempts.map((attempt) => checkAttempt(attempt, used !== undefined)), checkUsed(used)];
}

/** The engine that a run takes: the first that works. */
export function engineInUse(attempts: readonly EngineAttempt[]): ContainerEngine | undefined {
  return attempts.find((attempt) => attempt.engine !== undefined)?.engine;
}

function checkAttempt(attempt: EngineAttempt, oneWorks: boolean): DoctorCheck {
  const { kind, engine, failure } = attempt;
  const check = { id: kind, title: TITLES[kind] };
  if (engine !== undefined) return { ...check, ok: "yes", detail: describe(engine.description) };
  if (oneWorks) return { ...check, ok: "warn", detail: `${failure} (not needed: another engine works)` };
  return { ...check, ok: "no", detail: failure, fix: FIXES[kind] };
}

function checkUsed(engine: ContainerEngine | undefined): DoctorCheck {
  const check = { id: "engine", title: "Engine in use" };
  if (engine === undefined) return { ...check, ok: "no", detail: "none", fix: FIXES.podman };
  const { kind, bin, rootless } = engine.description;
  return { ...check, ok: "yes", detail: `${kind} (${bin})${rootless ? ", rootless" : ""}` };
}

/** The settings name an engine program that can't be used at all. */
export function checkUnusableEngine(why: string, hint: string | undefined): DoctorCheck {
  return { id: "engine", title: "Engine in use", ok: "no", detail: why, fix: hint ?? FIXES.podman };
}

function describe(engine: EngineDescription): string {
  const runtime = [engine.runtime, engine.runtimeVersion].filter((part) => part !== undefined).join(" ");
  const storage = engine.storageDriver === undefined ? "" : `, storage ${engine.storageDriver}`;
  return `${engine.version}, runtime ${runtime}, cgroup ${engine.cgroupVersion}${storage}`;
}

/** `name` of the agent image that is there, if any; `buildProblem` is why distribution packages can't make one here. */
export function checkImage(name: string | undefined, buildProblem: string | undefined): DoctorCheck {
  const check = { id: "image", title: "Agent image" };
  if (name !== undefined) return { ...check, ok: "yes", detail: name };
  const how =
    buildProblem === undefined
      ? "the first run builds it, once, in a few minutes"
      : `the first run builds it from a registry; without one it can't be built here: ${buildProblem}`;
  return { ...check, ok: "warn", detail: `not built yet; ${how}`, fix: "scripts/opencode_capture.sh image build" };
}

/** `version` of the tool that makes an image from distribution packages. */
export function checkImageBuild(problem: string | undefined, hint: string | undefined): DoctorCheck {
  const check = { id: "image-build", title: "Image build" };
  if (problem === undefined) {
    return { ...check, ok: "yes", detail: "from a registry, or from distribution packages where none can be reached" };
  }
  const detail = `from a registry only: ${problem}`;
  return { ...check, ok: "warn", detail, ...(hint === undefined ? {} : { fix: hint }) };
}

import type { MachineFacts } from "../../core/machine.ts";
import type { DoctorCheck } from "./report.ts";

const MIN_NODE_MAJOR = 24;
/** What the container may use (sandbox limits), and what should be left for everything else. */
const CONTAINER_MEMORY_BYTES = 4 * 2 ** 30;
const CONTAINER_CPUS = 2;
/** The agent image with room for its import, and some captures. */
const WANTED_DISK_BYTES = 5 * 2 ** 30;
const NEEDED_DISK_BYTES = 2 ** 30;

/** Node runs the program's TypeScript directly, which older ones can't. */
export function checkNode(version: string): DoctorCheck {
  const ok = Number.parseInt(version, 10) >= MIN_NODE_MAJOR ? "yes" : "no";
  return {
    id: "node",
    title: "Node",
    ok,
    detail: ok === "yes" ? version : `${version} is too old; ${MIN_NODE_MAJOR} or newer is needed`,
    ...(ok === "yes" ? {} : { fix: "npm ci" }),
  };
}

/** Linux makes captures; what set-up installs by itself depends on the distribution. */
export function checkSystem(facts: MachineFacts): DoctorCheck {
  const check = { id: "system", title: "System" };
  if (facts.platform !== "linux") {
    const detail = `${facts.platform} ${facts.arch}: captures can be looked at here (list, show, report, browse), but not made`;
    return { ...check, ok: "no", detail, fix: "run it on Linux" };
  }
  const name = facts.distribution?.name ?? "an unknown distribution";
  const where = `${name}, kernel ${facts.kernel}, ${facts.arch}, cgroup ${facts.cgroupVersion ?? "not found"}`;
  if (!["x64", "arm64"].includes(facts.arch))
    return { ...check, ok: "warn", detail: `${where}; not tried on ${facts.arch}` };
  const major = Number.parseInt(facts.distribution?.versionId ?? "", 10);
  if (facts.distribution?.id === "debian" && major >= 12) return { ...check, ok: "yes", detail: where };
  return { ...check, ok: "warn", detail: `${where}; set-up installs nothing by itself here, it says what to install` };
}

/** Root, or sudo without a question, or neither. */
export function checkRights(facts: MachineFacts, sudoWorks: boolean): DoctorCheck {
  const check = { id: "rights", title: "Rights" };
  if (facts.uid === 0) return { ...check, ok: "yes", detail: "root" };
  const who = `user ${facts.uid ?? "unknown"}`;
  if (sudoWorks) return { ...check, ok: "yes", detail: `${who}, and sudo asks no password` };
  return { ...check, ok: "warn", detail: `${who}; set-up needs sudo to install something` };
}

/** How the model's socket gets into the container; `failure` is what entering a network namespace said. */
export function checkNamespaceEntry(failure: string | undefined): DoctorCheck {
  const check = { id: "namespace-entry", title: "Namespace entry" };
  if (failure === undefined) return { ...check, ok: "yes", detail: "nsenter may enter a network namespace" };
  const detail = `entering a network namespace is refused (${failure}); the container would have no way to the model`;
  return { ...check, ok: "no", detail, fix: "call it as root, for example: sudo make capture" };
}

export function checkCores(cores: number): DoctorCheck {
  const ok = cores >= CONTAINER_CPUS ? "yes" : "warn";
  const detail = `${cores}${ok === "yes" ? "" : `; the container may use ${CONTAINER_CPUS}, so that runs take longer here`}`;
  return { id: "cores", title: "Cores", ok, detail };
}

export function checkMemory(totalBytes: number, availableBytes: number | undefined): DoctorCheck {
  const available = availableBytes ?? totalBytes;
  const ok = available >= CONTAINER_MEMORY_BYTES ? "yes" : "warn";
  const limit = `the container may use ${gib(CONTAINER_MEMORY_BYTES)}`;
  const detail = `${gib(available)} of ${gib(totalBytes)} available; ${limit}`;
  return { id: "memory", title: "Memory", ok, detail };
}

/** `freeBytes` on the file system of `directory`; undefined when it can't be read. */
export function checkDisk(directory: string, freeBytes: number | undefined): DoctorCheck {
  const check = { id: "disk", title: "Disk" };
  if (freeBytes === undefined) return { ...check, ok: "no", detail: `the free space at ${directory} can't be read` };
  const detail = `${gib(freeBytes)} free at ${directory}`;
  if (freeBytes >= WANTED_DISK_BYTES) return { ...check, ok: "yes", detail };
  const fix = "free some space, or choose another place with --capture-root";
  const wanted = `${gib(WANTED_DISK_BYTES)} are needed for the image and some captures`;
  return { ...check, ok: freeBytes >= NEEDED_DISK_BYTES ? "warn" : "no", detail: `${detail}; ${wanted}`, fix };
}

/** `failure` is why a file could not be made there. */
export function checkCaptureRoot(directory: string, failure: string | undefined): DoctorCheck {
  const check = { id: "capture-root", title: "Captures" };
  if (failure === undefined) return { ...check, ok: "yes", detail: `written to ${directory}` };
  return {
    ...check,
    ok: "no",
    detail: `can't be written to ${directory}: ${failure}`,
    fix: "choose another place with --capture-root, or change the owner of that one",
  };
}

export function checkModel(model: string): DoctorCheck {
  const offline = model === "scripted" || model.startsWith("scripted:");
  const detail = offline ? `${model}: offline, nothing leaves this machine` : model;
  return { id: "model", title: "Model", ok: "yes", detail };
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

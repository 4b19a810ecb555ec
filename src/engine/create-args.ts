import type { Dialect } from "./dialect.ts";
import type { UlimitCap } from "./engine-settings.ts";
import type { BindMount, ContainerLimits, ContainerSpec, TmpfsMount } from "./port.ts";

/** What the arguments depend on beside the specification. */
export interface CreateContext {
  dialect: Dialect;
  pidFile: string;
  cap: UlimitCap;
  /** Volumes that the image declares, where the engine would make each a writable directory that nobody observes. */
  imageVolumes: readonly string[];
}

/** All arguments of `create` for one locked-down container. */
export function createArgs(spec: ContainerSpec, { dialect, pidFile, cap, imageVolumes }: CreateContext): string[] {
  const program = dialect.program(spec.command);
  return [
    "create",
    "--interactive",
    ...["--pull", "never"],
    ...["--name", spec.name],
    ...Object.entries(spec.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...ISOLATION,
    ...dialect.createFlags(pidFile),
    ...["--security-opt", `seccomp=${spec.seccompProfile}`],
    ...["--user", spec.user],
    ...["--workdir", spec.workdir],
    ...["--hostname", spec.hostname],
    ...limitFlags(spec.limits, cap),
    ...spec.mounts.flatMap((mount) => (mount.kind === "bind" ? bindFlags(mount) : tmpfsFlags(mount, dialect))),
    ...imageVolumes.filter((volume) => !isMounted(spec, volume)).flatMap(hideVolumeFlags),
    ...Object.entries(spec.env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...["--entrypoint", program.entrypoint],
    spec.image,
    ...program.args,
  ];
}

/** What both engines understand alike. Health checks and an engine's own init would run programs beside the agent. */
const ISOLATION: readonly string[] = [
  ...["--network", "none"],
  ...["--ipc", "private"],
  ...["--cap-drop", "ALL"],
  ...["--security-opt", "no-new-privileges"],
  "--read-only",
  "--init=false",
  "--no-healthcheck",
  ...["--restart", "no"],
  ...["--log-driver", "none"],
];

function limitFlags(limits: ContainerLimits, cap: UlimitCap): string[] {
  const nofile = Math.min(limits.nofile, cap.nofile ?? limits.nofile);
  const nproc = Math.min(limits.nproc, cap.nproc ?? limits.nproc);
  return [
    ...["--cpus", String(limits.cpus)],
    ...["--memory", `${limits.memoryBytes}b`],
    // The same number: no swap beside the memory.
    ...["--memory-swap", `${limits.memoryBytes}b`],
    ...["--pids-limit", String(limits.pids)],
    ...ulimitFlags(nofile, nproc),
  ];
}

/** Soft and hard limit alike. Always said: an engine's own defaults may be more than this machine allows. */
export function ulimitFlags(nofile: number, nproc: number): string[] {
  const limits = [`nofile=${nofile}:${nofile}`, `nproc=${nproc}:${nproc}`, "core=0:0"];
  return limits.flatMap((limit) => ["--ulimit", limit]);
}

/** `--mount` takes one line of CSV, so that a quoted field carries `,` and `:`; `-v` would also create a missing source. */
function bindFlags(mount: BindMount): string[] {
  const fields = ["type=bind", `source=${mount.source}`, `target=${mount.target}`];
  if (mount.readOnly) fields.push("readonly");
  return ["--mount", fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",")];
}

function isMounted(spec: ContainerSpec, target: string): boolean {
  return spec.mounts.some((mount) => mount.target === target);
}

function hideVolumeFlags(volume: string): string[] {
  return ["--tmpfs", `${volume}:ro,nosuid,nodev,noexec,mode=755,size=4096`];
}

/** Every option is written out: the engines' defaults for `exec` differ. */
function tmpfsFlags(mount: TmpfsMount, dialect: Dialect): string[] {
  const options = [
    "rw",
    "nosuid",
    "nodev",
    mount.exec ? "exec" : "noexec",
    `mode=${mount.mode}`,
    `size=${mount.sizeBytes}`,
    ...dialect.tmpfsOptions,
  ];
  return ["--tmpfs", `${mount.target}:${options.join(",")}`];
}

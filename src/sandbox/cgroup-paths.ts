import * as fs from "node:fs";
import * as path from "node:path";

/** Directories of one control group on this host, by controller (`memory`, `pids`, …); cgroup v2 is `unified`. */
export type CgroupDirs = Readonly<Record<string, string>>;

export const UNIFIED = "unified";

interface CgroupMount {
  /** `unified`, or the controllers of a v1 hierarchy; named hierarchies as `name=systemd`. */
  controllers: readonly string[];
  mountPoint: string;
  /** Path inside the hierarchy that the mount shows. */
  root: string;
}

/** The cgroup mounts in the text of /proc/PID/mountinfo. */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const [type, , superOptions = ""] = (after ?? "").split(" ");
    const [, , , root, mountPoint] = (before ?? "").split(" ");
    if (root === undefined || mountPoint === undefined) continue;
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const controllers = type === "cgroup2" ? [UNIFIED] : superOptions.split(",");
    mounts.push({ controllers, mountPoint: unescapeOctal(mountPoint), root: unescapeOctal(root) });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Path in each hierarchy, by controller, from the text of /proc/PID/cgroup. */
export function parseMembership(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const [, controllers = "", groupPath = ""] = match;
    for (const controller of controllers === "" ? [UNIFIED] : controllers.split(",")) paths.set(controller, groupPath);
  }
  return paths;
}

/**
 * The part of a path that is the container's own group. Some runtimes put the processes one level below the group that
 * carries the limits (`libpod-<id>.scope/container`), so the last part that holds a container id decides.
 */
export function containerGroup(groupPath: string): string {
  const parts = groupPath.split("/");
  const last = parts.findLastIndex((part) => /[0-9a-f]{64}/.test(part));
  return last < 0 ? groupPath : parts.slice(0, last + 1).join("/");
}

/**
 * Directories of the control group of process `pid`. A hierarchy in which it is in the root group is left out: that
 * group belongs to the whole machine.
 * @throws the system's error when the process is gone.
 */
export function cgroupDirsOf(pid: number): CgroupDirs {
  const membership = parseMembership(fs.readFileSync(`/proc/${pid}/cgroup`, "utf8"));
  const dirs: Record<string, string> = {};
  for (const mount of parseCgroupMounts(fs.readFileSync("/proc/self/mountinfo", "utf8"))) {
    for (const controller of mount.controllers) {
      const groupPath = membership.get(controller);
      const below = groupPath === undefined ? undefined : pathBelow(mount.root, containerGroup(groupPath));
      if (below === undefined || below === "") continue;
      dirs[controller.replace(/^name=/, "")] ??= path.join(mount.mountPoint, below);
    }
  }
  return dirs;
}

/** `groupPath` relative to the mount's root; undefined when the mount does not show it. */
function pathBelow(root: string, groupPath: string): string | undefined {
  if (groupPath.split("/").includes("..")) return undefined;
  const prefix = root === "/" ? "/" : `${root}/`;
  if (groupPath === root) return "";
  return groupPath.startsWith(prefix) ? groupPath.slice(prefix.length) : undefined;
}

/** Whether this very process is in one of the groups or below one: such a group is never a container of ours. */
export function holdsThisProcess(dirs: CgroupDirs): boolean {
  const own = Object.values(ownDirs());
  return Object.values(dirs).some((dir) => own.some((ownDir) => ownDir === dir || ownDir.startsWith(`${dir}/`)));
}

function ownDirs(): Record<string, string> {
  const membership = parseMembership(fs.readFileSync("/proc/self/cgroup", "utf8"));
  const dirs: Record<string, string> = {};
  for (const mount of parseCgroupMounts(fs.readFileSync("/proc/self/mountinfo", "utf8"))) {
    for (const controller of mount.controllers) {
      const groupPath = membership.get(controller);
      const below = groupPath === undefined ? undefined : pathBelow(mount.root, groupPath);
      if (below !== undefined) dirs[controller] = path.join(mount.mountPoint, below);
    }
  }
  return dirs;
}

import * as fs from "node:fs";
import type { MeasuredPosture } from "../schema/container.ts";

/** Nothing could be measured. */
export const UNKNOWN_POSTURE: MeasuredPosture = {
  cap_eff: null,
  cap_bnd: null,
  no_new_privs: null,
  seccomp_mode: null,
  uid: null,
  gid: null,
  network_interfaces: null,
};

/**
 * Looks from outside at what confines process `pid`: what was measured, not what was asked for.
 * The runtime drops privileges right before the program, so measure once the program runs.
 */
export function measurePosture(pid: number): MeasuredPosture {
  try {
    const status = parseStatus(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
    return { ...status, network_interfaces: readInterfaces(pid) };
  } catch {
    return UNKNOWN_POSTURE;
  }
}

/** Reads the lines of `/proc/PID/status` that say how a process is confined. */
export function parseStatus(text: string): Omit<MeasuredPosture, "network_interfaces"> {
  const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1];
  const first = (name: string): number | null => {
    const value = Number.parseInt(field(name) ?? "", 10);
    return Number.isSafeInteger(value) ? value : null;
  };
  const noNewPrivs = first("NoNewPrivs");
  return {
    cap_eff: field("CapEff") ?? null,
    cap_bnd: field("CapBnd") ?? null,
    no_new_privs: noNewPrivs === null ? null : noNewPrivs === 1,
    seccomp_mode: first("Seccomp"),
    uid: first("Uid"),
    gid: first("Gid"),
  };
}

function readInterfaces(pid: number): string[] | null {
  const lines = fs.readFileSync(`/proc/${pid}/net/dev`, "utf8").split("\n").slice(2);
  return lines.filter((line) => line.includes(":")).map((line) => line.slice(0, line.indexOf(":")).trim());
}

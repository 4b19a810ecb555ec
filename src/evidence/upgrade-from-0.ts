import { isObject, type PlainObject } from "./reader-lenient.ts";

/**
 * Version 0, the earlier program's files. What it did not record stays out (readers give `null`) and is never filled
 * with a value that would claim something.
 */

/** The earlier program took the id of an event for the session's. */
function sessionId(value: unknown): unknown {
  return typeof value === "string" && !value.startsWith("ses_") ? null : value;
}

export function upgradeRun0(old: PlainObject): PlainObject {
  const endReason = old["oom_killed"] === true ? "oom" : old["timed_out"] === true ? "time-limit" : null;
  return { ...old, session_id: sessionId(old["session_id"]), end_reason: endReason };
}

function mapEntries(list: unknown, change: (entry: PlainObject) => PlainObject): unknown {
  return Array.isArray(list) ? list.map((entry: unknown) => (isObject(entry) ? change(entry) : entry)) : list;
}

export function upgradeProcessTree0(old: PlainObject): PlainObject {
  const unknown = {
    argv: null,
    start_time: null,
    container_pid: null,
    exe: null,
    cwd: null,
    uid: null,
    session: null,
  };
  return { ...old, processes: mapEntries(old["processes"], (entry) => ({ ...unknown, ...entry })) };
}

export function upgradeNetwork0(old: PlainObject): PlainObject {
  const unknown = { local: null, inode: null, pids: null, role: null };
  return { ...old, connections: mapEntries(old["connections"], (entry) => ({ ...unknown, ...entry })) };
}

export function upgradeFsDiff0(old: PlainObject): PlainObject {
  const unknown = { before_type: null, after_type: null, before_mode: null, after_mode: null };
  const counts = old["counts"];
  return {
    ...old,
    counts: isObject(counts) ? { renamed: null, ...counts } : counts,
    changes: mapEntries(old["changes"], (entry) => ({ ...unknown, ...entry })),
  };
}

/** What both sides can tell of a call, as one line of text; paths and arguments as bytes, one character each. */
export type OracleFact = string;

export function fact(what: string, ...parts: readonly unknown[]): OracleFact {
  return `${what} ${JSON.stringify(parts)}`;
}

/** Facts that one side has more often than the other. */
export interface Difference {
  only: "strace" | "capture";
  fact: OracleFact;
  times: number;
}

export function differences(traced: readonly OracleFact[], captured: readonly OracleFact[]): Difference[] {
  const balance = new Map<OracleFact, number>();
  for (const one of traced) balance.set(one, (balance.get(one) ?? 0) + 1);
  for (const one of captured) balance.set(one, (balance.get(one) ?? 0) - 1);
  return [...balance]
    .filter(([, times]) => times !== 0)
    .map(([one, times]) => ({ only: times > 0 ? "strace" : "capture", fact: one, times: Math.abs(times) }));
}

/** A difference that is known and why it is none of the sensor's faults. */
export interface KnownDifference {
  only: Difference["only"];
  /** Regular expression on the fact. */
  pattern: string;
  reason: string;
}

/** Differences that no line of the list explains. */
export function unexplained(found: readonly Difference[], known: readonly KnownDifference[]): Difference[] {
  return found.filter(
    (one) => !known.some((rule) => rule.only === one.only && new RegExp(rule.pattern, "s").test(one.fact)),
  );
}

/** `.` and `..` taken out by text, as the sensor does it. */
export function cleanPath(base: string, name: string): string {
  const parts: string[] = [];
  for (const part of (name.startsWith("/") ? name : `${base}/${name}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Only what is opened on a file system counts: no devices, pipes, sockets, and none of the kernel's own files. */
export function isOnDisk(path: string): boolean {
  return path.startsWith("/") && !/^\/(?:proc|sys|dev(?!\/shm\/))(?:\/|$)/.test(path);
}

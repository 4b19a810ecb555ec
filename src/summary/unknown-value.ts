import { shorten } from "../schema/display.ts";

/** The value at `path` in something of unknown shape, or undefined. Only own properties count. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

/** The string at `path`, or null. */
export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = at(value, ...path);
  return typeof found === "string" ? found : null;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | null {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}

/** JSON text of a value, at most `max` characters; strings stay as they are. */
export function preview(value: unknown, max: number): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return shorten(value, max);
  return shorten(JSON.stringify(value) ?? "", max);
}

/** Epoch milliseconds as ISO time, or null when it is no time. */
export function isoFromMs(ms: number | null): string | null {
  if (ms === null || Math.abs(ms) > 8.64e15) return null;
  return new Date(ms).toISOString();
}

/** Milliseconds between two ISO times, or null when one is missing or no time. */
export function millisecondsBetween(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null;
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isFinite(ms) ? ms : null;
}

import { readS64 } from "./decode-frame.ts";
import type { PathRecord } from "./record.ts";

const TIME_BYTES = { timespec: 16, timeval: 16, utimbuf: 8 } as const;
/** In place of nanoseconds (linux/stat.h). */
const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;
/** What a Date can hold. */
const MAX_SECONDS = 8.64e12;

/** The times that a call of the utime family set: ISO 8601, `now`, `as it was`, or `unknown`. */
export function timeFields({ text, argument2, timesForm = "timespec" }: PathRecord): {
  accessed: string;
  modified: string;
} {
  if (argument2 === 0) return { accessed: "now", modified: "now" };
  const size = TIME_BYTES[timesForm];
  if (text.length < 2 * size) return { accessed: "unknown", modified: "unknown" };
  return { accessed: timeText(text.subarray(0, size), timesForm), modified: timeText(text.subarray(size), timesForm) };
}

function timeText(bytes: Buffer, form: keyof typeof TIME_BYTES): string {
  const seconds = readS64(bytes, 0);
  const fraction = form === "utimbuf" ? 0 : readS64(bytes, 8);
  if (form === "timespec" && fraction === UTIME_NOW) return "now";
  if (form === "timespec" && fraction === UTIME_OMIT) return "as it was";
  if (Math.abs(seconds) >= MAX_SECONDS) return "unknown";
  const nanoseconds = form === "timeval" ? fraction * 1000 : fraction;
  const whole = new Date(seconds * 1000).toISOString().replace(/\.000Z$/, "");
  return `${whole}.${String(nanoseconds).padStart(9, "0")}Z`;
}

const MODES = [
  [0x01, "keep-size"],
  [0x02, "punch-hole"],
  [0x08, "collapse-range"],
  [0x10, "zero-range"],
  [0x20, "insert-range"],
  [0x40, "unshare-range"],
] as const;

/** What a fallocate did, and where. */
export function allocationFields({ argument: mode, argument2: offset, argument3: length = 0 }: PathRecord) {
  const modes = MODES.filter(([bit]) => (mode & bit) !== 0).map(([, name]) => name);
  return { ...(modes.length === 0 ? {} : { modes }), offset: Math.max(0, offset), length: Math.max(0, length) };
}

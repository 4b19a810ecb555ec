import { FILE_BITS_AT, FILE_FLAGS_AT, type Frame, fileOf, headOf, namedPath, wordFor } from "./decode-frame.ts";
import type * as record from "./record.ts";

/** Numbers of native/sensor/record.h, in its order, from 1. */
const PATH_OPERATIONS = [
  "unlink",
  "rmdir",
  "mkdir",
  "mknod",
  "rename",
  "link",
  "symlink",
  "chmod",
  "chown",
  "truncate",
  "setxattr",
  "removexattr",
  "mount",
  "umount",
  "chroot",
  "move-mount",
  "open-tree",
  "fsopen",
  "fsmount",
  "mount-setattr",
  "pivot-root",
  "utimensat",
  "utimes",
  "utime",
  "allocate",
] as const;
/** The newer ways to mount are told as "mount", with the call's own name beside it. */
const MOUNT_CALLS: ReadonlySet<string> = new Set(PATH_OPERATIONS.slice(15, 21));
const TIMES_FORMS: Readonly<Record<string, NonNullable<record.PathRecord["timesForm"]>>> = {
  utimensat: "timespec",
  utimes: "timeval",
  utime: "utimbuf",
};
const WRITABLE = 1;
const CREATED = 2;
const STILL_MAPPED = 8;

export function decodeOpen(frame: Frame): record.OpenRecord {
  const bits = frame.u32(FILE_BITS_AT);
  return {
    kind: "open",
    ...headOf(frame),
    file: fileOf(frame),
    flags: frame.u32(FILE_FLAGS_AT),
    created: (bits & CREATED) !== 0,
    writable: (bits & WRITABLE) !== 0,
  };
}

export function decodeOpenFailed(frame: Frame): record.OpenFailedRecord {
  const errno = Math.abs(frame.s64(0));
  return { kind: "open-failed", ...headOf(frame), path: namedPath(frame, 0), flags: frame.u32(8), errno };
}

export function decodeCloseWrite(frame: Frame): record.CloseWriteRecord {
  const stillMapped = (frame.u32(FILE_BITS_AT) & STILL_MAPPED) !== 0;
  return { kind: "close-write", ...headOf(frame), file: fileOf(frame), stillMapped };
}

function operationOf(
  word: (typeof PATH_OPERATIONS)[number],
): Pick<record.PathRecord, "operation" | "call" | "timesForm"> {
  if (MOUNT_CALLS.has(word)) return { operation: "mount", call: word };
  const timesForm = TIMES_FORMS[word];
  return timesForm === undefined ? { operation: word as record.PathOperation } : { operation: "utime", timesForm };
}

export function decodePath(frame: Frame): record.PathRecord {
  const word = wordFor(PATH_OPERATIONS, frame.u32(24), "path operation");
  const base = frame.segment(2);
  const name = frame.segment(3);
  return {
    kind: "path",
    ...headOf(frame),
    ...operationOf(word),
    result: frame.s64(0),
    path: namedPath(frame, 0),
    ...(base.length + name.length === 0 ? {} : { target: targetOf(frame, word) }),
    argument: frame.s64(8),
    argument2: frame.s64(16),
    argument3: frame.s64(32),
    text: frame.segment(4),
  };
}

/** A link's text and the source of a mount are told as they are, also where they look like a path. */
function targetOf(frame: Frame, operation: string): record.PathText {
  if (operation !== "symlink" && operation !== "mount") return namedPath(frame, 2);
  return { name: frame.segment(3), truncated: frame.isTruncated(3) };
}

import { CaptureError } from "../../core/errors.ts";

/** What the witness process tells, after decoding (native/witness/record.h). Paths and contents are the agent's. */
export type WitnessRecord =
  /** It sees. `seen`: in how many of the directories it saw a file of its own. */
  | { kind: "ready"; directories: string[]; seen: number }
  | { kind: "file"; timeNs: number; number: number; sizeBytes: number; pid: number; unlinked: boolean; path: Buffer }
  | { kind: "piece"; number: number; bytes: Buffer }
  | { kind: "file-end"; number: number; tooLarge: boolean; failed: boolean; changed: boolean }
  | { kind: "overflow"; timeNs: number }
  /** Of `unreadable` closes the kernel could not hand over the file. */
  | { kind: "end"; closes: number; unreadable: number };

export type FileRecord = Extract<WitnessRecord, { kind: "file" }>;
export type FileEndRecord = Extract<WitnessRecord, { kind: "file-end" }>;

const MAGIC = 0x53544957;
const VERSION = 1;
const HEADER_BYTES = 40;
const FLAG = { unlinked: 1, tooLarge: 2, failed: 4, changed: 8 };

/**
 * Decodes one frame. Buffers in the result are views of it: what is to be kept longer must be copied.
 * @throws CaptureError `sensor-unavailable` when it is no record; after that nothing of the stream can be trusted.
 */
export function decodeWitnessRecord(frame: Buffer): WitnessRecord {
  if (frame.length < HEADER_BYTES || frame.readUInt32LE(0) !== MAGIC || frame.readUInt16LE(4) !== VERSION)
    throw fault("a record has no head");
  const timeNs = Number(frame.readBigUInt64LE(8));
  const number = Number(frame.readBigUInt64LE(16));
  const sizeBytes = Number(frame.readBigUInt64LE(24));
  const flags = frame.readUInt32LE(36);
  const has = (flag: keyof typeof FLAG): boolean => (flags & FLAG[flag]) !== 0;
  const content = frame.subarray(HEADER_BYTES);
  switch (frame.readUInt16LE(6)) {
    case 1:
      return { kind: "ready", directories: content.toString("utf8").split("\0").slice(0, -1), seen: number };
    case 2: {
      const pid = frame.readInt32LE(32);
      return { kind: "file", timeNs, number, sizeBytes, pid, unlinked: has("unlinked"), path: content };
    }
    case 3:
      return { kind: "piece", number, bytes: content };
    case 4:
      return { kind: "file-end", number, tooLarge: has("tooLarge"), failed: has("failed"), changed: has("changed") };
    case 5:
      return { kind: "overflow", timeNs };
    case 6:
      return { kind: "end", closes: number, unreadable: sizeBytes };
    default:
      throw fault("a record is of no known kind");
  }
}

function fault(message: string): CaptureError {
  return new CaptureError("sensor-unavailable", `the file witness: ${message}`, { hint: "scripts/build-sensor.sh" });
}

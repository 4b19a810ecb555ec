import * as z from "zod";
import { count, timestamp } from "./common.ts";

/** Parts that several kinds of events share. Optional keys are left out where they have nothing to say: lines stay short. */

const eventSource = z
  .enum(["kernel", "seccomp", "gateway", "filesystem", "engine", "supervisor", "agent"])
  .describe("Who saw it. Only `agent` is a claim from inside the container.");

const processId = z.string();

export const eventHead = {
  seq: count.describe("Number of the line, from 0, without a hole."),
  mono_ns: z
    .number()
    .nonnegative()
    .describe("Nanoseconds since boot (CLOCK_BOOTTIME) at which it happened; rounded beyond 2^53, that is 104 days."),
  time: timestamp.describe("The same as wall-clock time, ISO 8601; the offset is fixed when the sensor attaches."),
  source: eventSource,
};

export const processHead = {
  ...eventHead,
  process: processId.describe("The process: `<host pid>-<start in ns since boot>`, safe against reuse of the pid."),
  tid: count.optional().describe("The thread, host id; left out for the first thread."),
  attempted: z
    .literal(true)
    .optional()
    .describe(
      "Seen when it was asked for (sensor `seccomp`): it may have failed, and its arguments may have changed since; `errno` is what was to be expected.",
    ),
};

export const errno = z
  .string()
  .optional()
  .describe("Name of the error (`ENOENT`) when it failed; left out when it succeeded.");

/** `name` for reading, `name_b64` with the exact bytes where they are not UTF-8. */
export function bytesText<N extends string>(name: N, about: string) {
  const shape = {
    [name]: z.string().describe(`${about} For reading: bytes that are not UTF-8 are shown as U+FFFD.`),
    [`${name}_b64`]: z
      .string()
      .optional()
      .describe(`The exact bytes of \`${name}\`, base64, where they are not UTF-8.`),
  };
  // The keys are those two; an object with computed keys forgets it.
  return shape as Record<N, z.ZodString> & Record<`${N}_b64`, z.ZodOptional<z.ZodString>>;
}

const pathTruncated = z
  .literal(true)
  .optional()
  .describe("The path was longer than what the sensor keeps: its beginning or end is missing.");

/** A path as the container sees it. */
export const filePath = {
  ...bytesText("path", "Absolute path as the container sees it; `.` and `..` are taken out by text."),
  path_truncated: pathTruncated,
  path_foreign: z
    .literal(true)
    .optional()
    .describe("The file lies in another mount namespace than the process; the path is as it is there."),
};

export const fileIdentity = {
  inode: count.describe("Number of the file on its device; 0: it was not there yet (`attempted`)."),
  device: z.string().describe("Device, `major:minor`."),
  mode: z.string().describe("Type and permission bits, octal."),
  size: count.describe("Bytes at that moment."),
  links: count.describe("Names that the file has; 0: none any more, or never one."),
};

export const sensitive = z
  .literal(true)
  .optional()
  .describe("A pattern of config/sensitive_paths.json fits the path, or it is a secret of every container.");

export const callId = z
  .string()
  .optional()
  .describe("Value of MAS_CALL_ID in the environment: names the tool call. The agent can set it, so it is a claim.");

export const socketHead = {
  ...processHead,
  connection: count.describe("Our number of the socket: the same in all events about it."),
  transport: z.string().describe("`tcp`, `tcp6`, `udp`, `udp6`, `unix`, `netlink`, … or `family-<number>`."),
};

export const localEnd = z.string().optional().describe("Near end, `address:port`; where known.");
export const remoteEnd = z
  .string()
  .describe("Far end: `address:port`, IPv6 in brackets; a Unix socket's path, `@…` abstract.");
export const roleOfRemote = z
  .enum(["model-gateway", "loopback", "external", "unix", "unknown"])
  .describe("What the other end is.");
export const durationMs = z.number().nonnegative();

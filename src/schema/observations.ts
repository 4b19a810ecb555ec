import * as z from "zod";
import { completenessLevel, count, schemaVersion, sha256, timestamp } from "./common.ts";
import { connectOutcome } from "./event-network.ts";

const processBase = {
  pid: z.string().describe("Pid on the host; a string as in the earlier program's captures."),
  ppid: z.string().describe("Its parent, when seen."),
  command: z.string().describe("Name of the program (`comm`)."),
  args: z.string().describe("Arguments joined by blanks, for reading; `argv` is exact."),
};

const processSnapshotEntry = z.object({
  ...processBase,
  elapsed: z.string().describe("Time since its start, `[[dd-]hh:]mm:ss`."),
});

export const observedProcess = z.object({
  ...processBase,
  first_seen_at: timestamp,
  last_seen_at: timestamp,
  samples: count.describe("Number of looks that met it; by the kernel sensor those of `snapshots`, so it may be 0."),
  argv: z.array(z.string()).describe("Exact arguments; bytes that are not UTF-8 are shown as U+FFFD."),
  start_time: z.string().describe("Start in clock ticks since boot: with the pid it is safe against reuse."),
  container_pid: z.number().int().nullable().describe("Pid inside the container."),
  exe: z.string().nullable().describe("Executable as the kernel names it, inside the container."),
  cwd: z.string().nullable().describe("Working directory inside the container."),
  uid: z.number().int().nullable().describe("User id."),
  session: z
    .number()
    .int()
    .nullable()
    .describe("Session id (setsid), host pid of its leader; not by the kernel sensor."),
  process: z
    .string()
    .optional()
    .describe("Id of the process in observations/events.jsonl; only by the kernel sensor, as the following."),
  parent: z.string().optional().describe("Id of the process that made it."),
  copy_of_parent: z
    .literal(true)
    .optional()
    .describe("It never ran a program of its own: the arguments are its parent's."),
  ended_at: timestamp.optional().describe("When it ended; left out for one that was not seen to end."),
  exit_code: count.nullable().optional().describe("Exit code; null: a signal ended it."),
  exit_signal: z.string().nullable().optional().describe("Signal that ended it."),
  survivor: z.literal(true).optional().describe("It still ran when the container's first process ended."),
});
export type ObservedProcess = z.infer<typeof observedProcess>;

/** `observations/process_tree.json`. */
export const processTree = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  snapshot_count: count.describe("Snapshots taken, also those thinned out of `snapshots`."),
  snapshots: z.array(z.object({ timestamp, processes: z.array(processSnapshotEntry) })),
  processes: z.array(observedProcess),
  truncated: z.boolean().describe("True when a limit cut the list of processes."),
});
export type ProcessTree = z.infer<typeof processTree>;

const connectionBase = {
  proto: z.string().describe("`tcp`, `tcp6`, `udp`, `udp6`, `unix`, `raw`, …"),
  state: z.string().describe("Socket state in the words of the kernel, for example `ESTABLISHED`, `LISTEN`."),
  remote: z.string().describe("`address:port`, IPv6 in brackets."),
};

export const observedConnection = z.object({
  ...connectionBase,
  local: z.string().describe("`address:port` of the near end."),
  first_seen_at: timestamp,
  last_seen_at: timestamp,
  samples: count.describe("Number of looks that met it; by the kernel sensor those of `snapshots`, so it may be 0."),
  inode: z.string().nullable().describe("The socket's number in the kernel."),
  pids: z.array(z.string()).describe("Host pids that held the socket when seen; empty: not known."),
  role: z.enum(["model-gateway", "loopback", "external", "unix", "unknown"]).describe("What the other end is."),
  process: z
    .string()
    .optional()
    .describe("Id of the process in observations/events.jsonl; only by the kernel sensor, as the following."),
  connection: count.optional().describe("Number of the socket in observations/events.jsonl."),
  direction: z.enum(["out", "in"]).optional().describe("Who began it, seen from the container; only of connections."),
  outcome: connectOutcome.optional().describe("What became of a connect."),
  errno: z.string().optional().describe("Name of the error, where there was one."),
  bytes_sent: count.optional().describe("Bytes sent, once it is closed; of datagrams the sum."),
  bytes_received: count.optional().describe("Bytes received, once it is closed; of datagrams the sum."),
  duration_ms: z.number().nonnegative().optional().describe("From being established to the end."),
});
export type ObservedConnection = z.infer<typeof observedConnection>;

/** `observations/network.json`. */
export const network = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  snapshot_count: count.describe("Snapshots taken, also those thinned out of `snapshots`."),
  snapshots: z.array(z.object({ timestamp, connections: z.array(z.object({ ...connectionBase, local: z.string() })) })),
  connections: z.array(observedConnection),
  truncated: z.boolean().describe("True when a limit cut the list of connections."),
});
export type Network = z.infer<typeof network>;

export const fileType = z.enum([
  "file",
  "directory",
  "symlink",
  "fifo",
  "socket",
  "character-device",
  "block-device",
  "unknown",
]);
export type FileType = z.infer<typeof fileType>;

const extendedAttribute = z.object({
  name: z.string().describe("Its name, for reading, for example `user.comment`."),
  name_b64: z.string().optional().describe("The exact bytes, base64, where the name is not valid UTF-8."),
  size_bytes: count.describe("Bytes of the value."),
  sha256: sha256.describe("Hash of the value."),
  value_b64: z.string().optional().describe("The value, base64, where it is short."),
});

export const fileChange = z.object({
  path: z.string().describe("Relative to the area's root, `/` between parts; for reading (see `path_b64`)."),
  path_b64: z.string().optional().describe("The exact bytes, base64, where the name is not valid UTF-8."),
  change_type: z
    .enum(["created", "modified", "deleted"])
    .describe("What became of the path. A rename is one deleted and one created path."),
  sensitive_path: z.boolean().describe("A pattern of config/sensitive_paths.json fits it."),
  before_sha256: sha256.nullable().describe("Hash of the content before; null: none, or not read."),
  after_sha256: sha256.nullable().describe("Hash of the content after; null: none, or not read."),
  before_size: count.nullable().describe("Bytes before."),
  after_size: count.nullable().describe("Bytes after."),
  diff: z.string().optional().describe("Unified diff of text, bounded."),
  diff_omitted: z
    .enum(["binary", "too-large", "budget", "not-a-file", "unreadable", "metadata-only"])
    .optional()
    .describe("Why there is no `diff`."),
  before_type: fileType.nullable().describe("Kind of file before; null: it did not exist."),
  after_type: fileType.nullable().describe("Kind of file after; null: it does not exist."),
  before_mode: z.string().nullable().describe("Permission bits, octal."),
  after_mode: z.string().nullable().describe("Permission bits, octal."),
  before_owner: z.string().optional().describe("`uid:gid` before, where the owner changed."),
  after_owner: z.string().optional().describe("`uid:gid` after, where the owner changed."),
  symlink_target: z.string().optional().describe("Text of the link; never followed."),
  symlink_target_b64: z.string().optional().describe("Its exact bytes, base64, where it is not valid UTF-8."),
  before_symlink_target: z.string().optional().describe("Text of the link before."),
  before_symlink_target_b64: z.string().optional().describe("Its exact bytes, base64, where it is not valid UTF-8."),
  renamed_from: z.string().optional().describe("Path it had before."),
  renamed_from_b64: z.string().optional().describe("Its exact bytes, base64, where it is not valid UTF-8."),
  hard_link_of: z.string().optional().describe("Another path that is the same file."),
  hard_link_of_b64: z.string().optional().describe("Its exact bytes, base64, where it is not valid UTF-8."),
  xattrs: z
    .array(extendedAttribute)
    .optional()
    .describe("Extended attributes at the end, bounded; working copy, home and /tmp begin without any."),
  unstable: z.boolean().optional().describe("It changed while it was read."),
});
export type FileChange = z.infer<typeof fileChange>;

export const changeCounts = z.object({
  created: count.describe("Paths that are new."),
  modified: count.describe("Paths that changed."),
  deleted: count.describe("Paths that are gone."),
  total: count.describe("All three together."),
  renamed: count.describe("Pairs of a deleted and a created path that are one rename."),
});

/** `observations/fs_diff.json`. */
export const fsDiff = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  workspace_dir: z.string().describe("Absolute path of the working copy at the time."),
  counts: changeCounts,
  touched_sensitive_paths: z.boolean().describe("At least one change is to a sensitive path."),
  changes: z.array(fileChange),
  truncated: z.boolean().describe("True when a limit cut `changes`; `counts` still count everything seen."),
  outside_workspace: z
    .array(
      z.object({
        root: z.string().describe("Directory inside the container, for example `/home/agent` or `/tmp`."),
        counts: changeCounts,
        changes: z.array(fileChange),
        truncated: z.boolean(),
      }),
    )
    .describe("What was left in the agent's home and in /tmp at the end."),
  excluded: z
    .array(z.object({ path: z.string(), size_bytes: count }))
    .optional()
    .describe("Files of the agent's own machinery that are not listed as changes, for example `.git/opencode`."),
});
export type FsDiff = z.infer<typeof fsDiff>;

export const completenessClass = z.object({
  class: z.enum([
    "process",
    "network",
    "file-workspace",
    "file-outside",
    "file-contents",
    "dns",
    "packets",
    "model",
    "agent-output",
    "native-events",
    "session-export",
  ]),
  level: completenessLevel.describe("How well it was seen."),
  sensor: z.string().describe("Which sensor the statement is about."),
  reason: z.string().describe("Why it is not better than that; for `complete`, why that can be said."),
  lost: count.nullable().describe("How many are missing, where that is known."),
  from: timestamp.nullable(),
  to: timestamp.nullable(),
  started_before_agent: z.boolean().nullable().describe("The sensor was there before the agent's first instruction."),
});
export type CompletenessClass = z.infer<typeof completenessClass>;

export const gap = z.object({
  class: z.string(),
  from: timestamp.nullable(),
  to: timestamp.nullable(),
  reason: z.string().describe("What happened."),
});
export type Gap = z.infer<typeof gap>;

/** `observations/completeness.json`: what could not be seen. */
export const completeness = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  verdict: completenessLevel.describe(
    "The worst level of the classes that count as evidence (not the agent's own claims, and not what second witnesses keep beside the events).",
  ),
  classes: z.array(completenessClass),
  gaps: z.array(gap),
});
export type Completeness = z.infer<typeof completeness>;

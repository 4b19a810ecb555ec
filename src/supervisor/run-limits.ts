import { DEFAULT_GATEWAY_LIMITS } from "../gateway/limits.ts";
import { DEFAULT_EVENT_SINK_LIMITS } from "../sensors/agent-events/event-sink.ts";
import { DEFAULT_EXPORT_LIMITS } from "../sensors/session-store/export-sessions.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

interface LimitEntry {
  defaultBytes: number;
  /** What it bounds. */
  what: string;
  /** Where a cut is told. */
  told: string;
}

/**
 * Every limit on what a run may put on the disk, by its name in the setting `limits`. docs/operations.md holds the same
 * table; a test compares them.
 */
export const LIMIT_ENTRIES = {
  agent_stdout: {
    defaultBytes: 64 * MIB,
    what: "`logs/opencode.stdout.log`",
    told: "class `agent-output`, `output` in run.json",
  },
  agent_stderr: {
    defaultBytes: 64 * MIB,
    what: "`logs/opencode.stderr.log`",
    told: "class `agent-output`, `output` in run.json",
  },
  container_log: {
    defaultBytes: 64 * MIB,
    what: "both streams in `logs/container.log`",
    told: "last line of the file",
  },
  native_events: {
    defaultBytes: DEFAULT_EVENT_SINK_LIMITS.totalBytes,
    what: "`events/opencode_events.jsonl`",
    told: "class `native-events`, `native_events` in run.json",
  },
  native_event: {
    defaultBytes: DEFAULT_EVENT_SINK_LIMITS.recordBytes,
    what: "one native event",
    told: "class `native-events`, `native_events` in run.json",
  },
  model_traffic: {
    defaultBytes: DEFAULT_GATEWAY_LIMITS.recordBytes,
    what: "`model/`: the record of exchanges and all bodies",
    told: "class `model`",
  },
  model_body: {
    defaultBytes: DEFAULT_GATEWAY_LIMITS.bodyBytes,
    what: "one body of a request or an answer",
    told: "`truncated` in the exchange, class `model`",
  },
  session_store: {
    defaultBytes: DEFAULT_EXPORT_LIMITS.storeBytes,
    what: "the agent's session store, as far as it is read",
    told: "class `session-export`",
  },
  session_export: {
    defaultBytes: DEFAULT_EXPORT_LIMITS.sessionBytes,
    what: "the export of one session",
    told: "class `session-export`",
  },
  session_exports: {
    defaultBytes: DEFAULT_EXPORT_LIMITS.totalBytes,
    what: "all exports together",
    told: "class `session-export`",
  },
  file_contents: {
    defaultBytes: 64 * MIB,
    what: "`observations/contents/`: files that were gone or overwritten at the end",
    told: "class `file-contents`, `content_omitted` in file_contents.json",
  },
  packets: {
    defaultBytes: 64 * MIB,
    what: "`observations/packets.pcapng`; 0: no packets are recorded",
    told: "class `packets`, `packets` in flows.json",
  },
  packet: {
    defaultBytes: 4096,
    what: "one packet in it; of what is longer the beginning is kept, 64 to 65,535 bytes",
    told: "class `packets`, `cut` in flows.json",
  },
  agent_files: {
    defaultBytes: 8 * GIB,
    what: "what the agent writes to the working copy, its home and /tmp; beyond it the run is stopped",
    told: "`end_reason` `disk-limit`",
  },
  disk_reserve: {
    defaultBytes: 512 * MIB,
    what: "room that stays free on the captures' disk; below it the run is stopped",
    told: "`end_reason` `disk-full`, a gap of all classes",
  },
} as const satisfies Record<string, LimitEntry>;

export type LimitName = keyof typeof LIMIT_ENTRIES;
/** Bytes, by name. */
export type RunLimits = Record<LimitName, number>;

export const LIMIT_NAMES = Object.keys(LIMIT_ENTRIES) as LimitName[];

/** The defaults with the given limits in their places. */
export function runLimits(given: Partial<RunLimits> = {}): RunLimits {
  const entries = LIMIT_NAMES.map((name) => [name, given[name] ?? LIMIT_ENTRIES[name].defaultBytes]);
  return Object.fromEntries(entries) as RunLimits;
}

/**
 * What the sensors' own lists can come to at the most: file changes (32 MiB of paths, 8 MiB of diffs), processes and
 * connections, records. They have limits of their own, by number.
 */
const OBSERVATIONS_BYTES = 256 * MIB;

/** The most that one capture takes on the disk, without a kept working copy. The root session's export stands in it twice. */
export function captureBoundBytes(limits: RunLimits): number {
  const { agent_stdout, agent_stderr, container_log, native_events } = limits;
  const streams = agent_stdout + agent_stderr + container_log + native_events;
  return (
    streams +
    limits.model_traffic +
    limits.session_exports +
    limits.session_export +
    limits.file_contents +
    limits.packets +
    OBSERVATIONS_BYTES
  );
}

import type * as z from "zod";
import { containerRecord } from "./container.ts";
import { captureEvent } from "./event.ts";
import { exchange } from "./exchange.ts";
import { fileContents } from "./file-contents.ts";
import { flows } from "./flows.ts";
import { issue } from "./issue.ts";
import { nativeEvent } from "./native-event.ts";
import { completeness, fsDiff, network, processTree } from "./observations.ts";
import { runRecord } from "./run.ts";
import { sessionExport } from "./session-export.ts";
import { summary } from "./summary.ts";

/** One kind of file of a capture that has a schema; docs/capture-format.md and docs/schemas/ are made from this list. */
export interface DescribedFile {
  /** Relative to the capture directory. */
  path: string;
  /** Name of its JSON Schema below docs/schemas/. */
  schemaName: string;
  /** `jsonl`: one JSON value a line, each of the schema. */
  format: "json" | "jsonl";
  schema: z.ZodType;
  /** Whose word it is: `evidence` was seen from outside, `claim` comes from the agent's side, `derived` can be made again. */
  kind: "evidence" | "claim" | "derived";
  about: string;
}

export const DESCRIBED_FILES: readonly DescribedFile[] = [
  {
    path: "meta/run.json",
    schemaName: "run",
    format: "json",
    schema: runRecord,
    kind: "evidence",
    about:
      "The run and its end. It exists from the first moment, with `finished_at: null`, and is written again at the end.",
  },
  {
    path: "input/issue.json",
    schemaName: "issue",
    format: "json",
    schema: issue,
    kind: "evidence",
    about: "The task that was run, with everything filled in that its author left out.",
  },
  {
    path: "meta/container.json",
    schemaName: "container",
    format: "json",
    schema: containerRecord,
    kind: "evidence",
    about: "The sandbox: as it was asked for, as the engine records it, and as measured from outside.",
  },
  {
    path: "observations/process_tree.json",
    schemaName: "process-tree",
    format: "json",
    schema: processTree,
    kind: "evidence",
    about: "The processes of the container.",
  },
  {
    path: "observations/network.json",
    schemaName: "network",
    format: "json",
    schema: network,
    kind: "evidence",
    about: "The sockets and connections of the container.",
  },
  {
    path: "observations/fs_diff.json",
    schemaName: "fs-diff",
    format: "json",
    schema: fsDiff,
    kind: "evidence",
    about: "How the working copy differs from before the run, and what was left in the agent's home and in /tmp.",
  },
  {
    path: "observations/completeness.json",
    schemaName: "completeness",
    format: "json",
    schema: completeness,
    kind: "evidence",
    about: "How well each class of events was seen, and the gaps. Read it before taking an empty list for `none`.",
  },
  {
    path: "observations/events.jsonl",
    schemaName: "event",
    format: "jsonl",
    schema: captureEvent,
    kind: "evidence",
    about:
      "Everything that the kernel sensor saw, one event a line; `process_tree.json` and `network.json` are made from it. Only with that sensor.",
  },
  {
    path: "observations/file_contents.json",
    schemaName: "file-contents",
    format: "json",
    schema: fileContents,
    kind: "evidence",
    about:
      "Contents that the agent wrote and that are not there at the end: files that came and went, and what was overwritten. The contents stand in `observations/contents/`. Only with the file witness.",
  },
  {
    path: "observations/flows.json",
    schemaName: "flows",
    format: "json",
    schema: flows,
    kind: "evidence",
    about:
      "What the packets in the container's network namespace show: flows, names that were asked for, names in TLS greetings. The packets stand in `observations/packets.pcapng`. Only with the packet witness.",
  },
  {
    path: "model/exchanges.jsonl",
    schemaName: "exchange",
    format: "jsonl",
    schema: exchange,
    kind: "evidence",
    about: "The traffic between agent and model, as the gateway saw it. Large bodies stand in `model/bodies/`.",
  },
  {
    path: "events/opencode_events.jsonl",
    schemaName: "native-event",
    format: "jsonl",
    schema: nativeEvent,
    kind: "claim",
    about: "OpenCode's own events and hooks, written by the plugin inside the agent's process. Optional.",
  },
  {
    path: "session/export.json",
    schemaName: "session-export",
    format: "json",
    schema: sessionExport,
    kind: "claim",
    about:
      "OpenCode's record of the session, in its own format; `session/children/<id>.json` are those of subagents. Optional.",
  },
  {
    path: "derived/summary.json",
    schemaName: "summary",
    format: "json",
    schema: summary,
    kind: "derived",
    about: "The normalised summary, made from all of the above.",
  },
];

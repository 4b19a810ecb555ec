import * as z from "zod";
import { count, timestamp } from "./common.ts";

/** Parts of derived/summary.json that tie effects to tool calls. Everything here is drawn from evidence and can be made again. */

const attributionMethod = z
  .enum(["command", "helper", "path", "host", "ancestry"])
  .describe(
    "`command`: the shell ran the very command that the model asked for. `helper`: a search program the agent starts for that tool. `path`, `host`: done inside the agent's own process, on the file or host that the open call names. `ancestry`: by a descendant of a process tied in one of these ways.",
  );

const attributionConfidence = z.enum(["high", "medium"]).describe("`medium`: another call would explain it as well.");

export const effectCause = z
  .object({
    kind: z.enum(["call", "agent", "none"]).describe("A tool call; the agent's own machinery; nothing known."),
    call: z.string().nullable().describe("`key` of the tool call in `tools`."),
    method: attributionMethod.nullable(),
    confidence: attributionConfidence.nullable(),
    why: z
      .enum([
        "program",
        "own-files",
        "model",
        "repository",
        "no-call",
        "before-any-call",
        "command-ran-twice",
        "unknown-parent",
      ])
      .nullable()
      .describe(
        "For `agent`: which part of its machinery. For `none`: why no call explains it. `command-ran-twice`: a second shell with a command that was asked for once.",
      ),
  })
  .describe("What caused an effect.");
export type EffectCause = z.infer<typeof effectCause>;

export const fileOperation = z.enum([
  "read",
  "created",
  "written",
  "removed",
  "renamed",
  "linked",
  "attributes",
  "mounted",
]);
export type FileOperation = z.infer<typeof fileOperation>;

const touchedFile = z.object({
  path: z.string().describe("Absolute, as the container sees it."),
  operations: z.array(fileOperation).describe("What was done to it; `read` only where the path is sensitive."),
  sensitive: z.boolean().describe("A pattern of config/sensitive_paths.json fits it."),
});

const contact = z.object({
  remote: z.string().describe("`address:port`; for a question to a name server the name that was asked for."),
  outcome: z.string().describe("`connected`, `refused`, … ; `sent`, `received`; `asked`."),
});

export const callEffects = z.object({
  processes: count.describe("Processes that it started, with all their descendants."),
  commands: z.array(z.string()).describe("Programs that ran, with their arguments, bounded."),
  commands_total: count,
  files: z.array(touchedFile).describe("Files that it changed, and sensitive ones that it read; bounded."),
  files_total: count,
  contacts: z.array(contact).describe("Where it connected or tried to, and names that it asked for; bounded."),
  contacts_total: count,
  other: z
    .array(z.string())
    .describe(
      "Other doings worth a look: namespaces, tracing, refused interfaces, files that it tried to open or change and could not; bounded.",
    ),
  other_total: count,
  exit_code: z.number().int().nullable().describe("Exit code of its shell, by the kernel."),
  signal: z.string().nullable().describe("Signal that ended its shell."),
  started_at: timestamp.nullable().describe("When its shell began, by the kernel; else its first effect."),
  finished_at: timestamp.nullable().describe("When its shell ended."),
  last_effect_at: timestamp.nullable().describe("Last effect; later than `finished_at`: something lived on."),
  method: attributionMethod.nullable().describe("How its first effect was tied to it."),
  confidence: attributionConfidence.nullable(),
});
export type CallEffects = z.infer<typeof callEffects>;

const who = {
  process: z.string().describe("`<host pid>-<start>`, as in observations/events.jsonl."),
  cause: effectCause,
};

const effectOfProcess = z.object({
  ...who,
  command: z.string().describe("The program with its arguments at its last start, bounded."),
  started_at: timestamp,
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  files: z.array(z.string()).describe("Paths it changed, bounded."),
  contacts: z.array(z.string()).describe("Where it connected to, bounded."),
});

const effectOnFile = z.object({
  path: z.string(),
  sensitive: z.boolean(),
  by: z
    .array(z.object({ ...who, operations: z.array(fileOperation), first_at: timestamp, last_at: timestamp }))
    .describe("Who touched it and when, bounded."),
});

const effectOnHost = z.object({
  remote: z.string().describe("`address:port`, or a name that was asked for."),
  names: z.array(z.string()).describe("Names whose answers held that address."),
  by: z.array(z.object({ ...who, outcome: z.string(), at: timestamp })).describe("Who contacted it, bounded."),
});

const unattributedEffect = z.object({
  seq: count.describe("Event in observations/events.jsonl."),
  at: timestamp,
  process: z.string(),
  kind: z.string().describe("Kind of the event."),
  text: z.string().describe("What was done, one line."),
  why: z.string().describe("As `why` of a cause."),
});

const markConflict = z.object({
  kind: z
    .enum(["other-call", "no-such-call", "unbacked", "scrubbed"])
    .describe(
      "`other-call`: the environment names another call than the evidence. `no-such-call`: the model never made that call. `unbacked`: no evidence ties the process to any call. `scrubbed`: its parent had the mark, it has none.",
    ),
  seq: count.describe("Event in observations/events.jsonl."),
  process: z.string(),
  mark: z.string().describe("MAS_CALL_ID of the process: a claim."),
  call: z.string().nullable().describe("`key` of the call that the evidence gives."),
});

/** Who caused what. Null in captures without the kernel's events. */
export const attribution = z.object({
  attributed: count.describe("Effects tied to a tool call."),
  agent_own: count.describe("Effects of the agent's own machinery."),
  unattributed: count.describe("Effects that no call explains. A finding."),
  by_method: z.record(z.string(), count),
  unattributed_effects: z.array(unattributedEffect).describe("The first of them."),
  mark_conflicts: z.array(markConflict).describe("Claims in the environment that the evidence does not bear out."),
  mark_conflicts_total: count,
  processes: z.array(effectOfProcess),
  processes_total: count,
  files: z.array(effectOnFile),
  files_total: count,
  hosts: z.array(effectOnHost),
  hosts_total: count,
});
export type Attribution = z.infer<typeof attribution>;

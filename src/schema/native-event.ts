import * as z from "zod";
import { count, timestamp } from "./common.ts";

/** An id as OpenCode makes them (`ses_…`, `msg_…`); from the agent, so the form is checked before one becomes a file name. */
export const sessionId = z
  .string()
  .regex(/^ses_[A-Za-z0-9]{1,64}$/)
  .describe("OpenCode's id of a session.");

const optionalId = z.string().nullish();

/** What was cut from a record, by the plugin itself, to keep it within its bounds. */
const nativeEventCut = z.looseObject({
  field: z.string().describe("Where in the record, parts joined by dots."),
  reason: z.string().describe("`long-string`, `many-entries`, `deep`, `redacted`, or a count of further cuts."),
  original_bytes: count.optional().describe("Length of the whole string, UTF-8."),
  omitted_entries: count.optional().describe("Entries that were left out."),
});

/**
 * One line of `events/opencode_events.jsonl`, written by the plugin inside the agent's process: a claim of the agent, not
 * an observation. Captures of the earlier program have neither `seq` and `dropped` nor most of the correlation.
 */
export const nativeEvent = z.looseObject({
  timestamp,
  native_event_type: z
    .string()
    .min(1)
    .max(256)
    .describe("Event type (`session.created`), hook name (`shell.env`), or `plugin.alive` and `plugin.dispose`."),
  run_id: z.string().nullable().describe("Run that the plugin was told of."),
  issue_id: z.string().nullable().describe("Task that the plugin was told of."),
  seq: count.optional().describe("Number within the process that wrote it, from 0; a hole is a lost record."),
  dropped: count.optional().describe("Records that the process could not get rid of until then."),
  context: z
    .looseObject({
      directory: optionalId.describe("Directory of the project, inside."),
      worktree: optionalId.describe("Root of the project's repository, inside."),
      source: z.string().nullish().describe("`event`, `hook` or `plugin`."),
      instance: z.string().nullish().describe("Tells the processes apart that write to one stream."),
    })
    .describe("Where in OpenCode the record was made."),
  correlation: z
    .looseObject({
      id: optionalId.describe("The event's own id, `evt_…`."),
      session_id: optionalId.describe("Session, `ses_…`."),
      message_id: optionalId.describe("Message, `msg_…`."),
      call_id: optionalId.describe("Made by the model: not unique by itself; use it with session and message."),
      part_id: optionalId.describe("Part of the message, `prt_…`."),
    })
    .describe("Ids that tie the record to others."),
  raw_input: z.unknown().describe("The whole event {id, type, properties}, or the hook's input."),
  raw_output: z.unknown().describe("The hook's output; `null` for events."),
  truncated: z.array(nativeEventCut).optional().describe("What was cut."),
});
export type NativeEvent = z.infer<typeof nativeEvent>;

import * as z from "zod";
import { sessionId } from "./native-event.ts";

const messageError = z.looseObject({
  name: z.string().describe("Kind of error."),
  data: z.looseObject({ message: z.string().optional() }).optional(),
});

const toolState = z.looseObject({
  status: z.string().describe("`pending`, `running`, `completed` or `error`."),
  error: z.string().optional().describe("Why the tool failed."),
});

const sessionPart = z.looseObject({
  id: z.string().describe("Id."),
  sessionID: z.string().describe("Session it belongs to."),
  messageID: z.string().describe("Message it belongs to."),
  type: z.string().describe("`text`, `tool`, `step-start`, `step-finish`, `reasoning`, …"),
  tool: z.string().optional().describe("Name of the tool."),
  callID: z.string().optional().describe("Id of the call."),
  state: toolState.optional(),
  reason: z.string().optional().describe("Of a `step-finish`."),
});

export const sessionMessage = z.looseObject({
  info: z.looseObject({
    id: z.string().describe("Id."),
    sessionID: z.string().describe("Session it belongs to."),
    role: z.string().describe("`user` or `assistant`."),
    finish: z.string().optional().describe("Why the model stopped: `stop`, `tool-calls`, `length`, …"),
    error: messageError.optional().describe("What went wrong."),
  }),
  parts: z.array(sessionPart),
});

/**
 * `session/export.json` and `session/children/<id>.json`: what `opencode export` prints. OpenCode's own format, checked
 * only where we read it; everything else in it is kept.
 */
export const sessionExport = z.looseObject({
  info: z.looseObject({
    id: sessionId,
    parentID: z.string().optional().describe("Set for the session of a subagent."),
    title: z.string().describe("Title of the session."),
    version: z.string().describe("Version of OpenCode that made the session."),
    directory: z.string().describe("Directory of the project, inside."),
  }),
  messages: z.array(sessionMessage),
});
export type SessionExport = z.infer<typeof sessionExport>;

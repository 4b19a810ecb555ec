import * as z from "zod";
import { sessionId } from "./native-event.ts";

const messageError = z.looseObject({
  name: z.string(),
  data: z.looseObject({ message: z.string().optional() }).optional(),
});

const toolState = z.looseObject({
  status: z.string().describe("`pending`, `running`, `completed` or `error`."),
  error: z.string().optional(),
});

const sessionPart = z.looseObject({
  id: z.string(),
  sessionID: z.string(),
  messageID: z.string(),
  type: z.string().describe("`text`, `tool`, `step-start`, `step-finish`, `reasoning`, …"),
  tool: z.string().optional(),
  callID: z.string().optional(),
  state: toolState.optional(),
  reason: z.string().optional().describe("Of a `step-finish`."),
});

export const sessionMessage = z.looseObject({
  info: z.looseObject({
    id: z.string(),
    sessionID: z.string(),
    role: z.string().describe("`user` or `assistant`."),
    finish: z.string().optional().describe("Why the model stopped: `stop`, `tool-calls`, `length`, …"),
    error: messageError.optional(),
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
    title: z.string(),
    version: z.string().describe("Version of OpenCode that made the session."),
    directory: z.string(),
  }),
  messages: z.array(sessionMessage),
});
export type SessionExport = z.infer<typeof sessionExport>;

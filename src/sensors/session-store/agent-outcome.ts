import { shorten, visible } from "../../schema/display.ts";
import type { SessionExport } from "../../schema/session-export.ts";

/** How the agent's session ended by its own record: a claim of the agent. Texts are safe to show. */
export interface AgentOutcome {
  /** Finish reason of the last answer: `stop` when the model had said all it wanted. `null`: no answer was finished. */
  lastFinish: string | null;
  errors: string[];
  /** Tool calls that ended because a permission was not given; OpenCode ends with exit code 0 nevertheless. */
  rejectedPermissions: string[];
}

type Message = SessionExport["messages"][number];

const REJECTED = "The user rejected permission to use this specific tool call";
const MAX_ENTRIES = 50;
const MAX_CHARS = 300;

/** Gathers the outcome message by message, in the order of the session. */
export class OutcomeTally {
  readonly outcome: AgentOutcome = { lastFinish: null, errors: [], rejectedPermissions: [] };

  add(message: Message): void {
    if (message.info.role !== "assistant") return;
    this.outcome.lastFinish = finishOf(message);
    if (message.info.error !== undefined) {
      const { name, data } = message.info.error;
      keep(this.outcome.errors, data?.message === undefined ? name : `${name}: ${data.message}`);
    }
    for (const part of message.parts) {
      if (part.type !== "tool" || part.state?.status !== "error") continue;
      if (part.state.error?.startsWith(REJECTED) === true) {
        keep(this.outcome.rejectedPermissions, `${part.tool ?? "tool"} (${part.callID ?? part.id})`);
      }
    }
  }
}

/** The outcome of one exported session. */
export function readAgentOutcome(session: SessionExport): AgentOutcome {
  const tally = new OutcomeTally();
  for (const message of session.messages) tally.add(message);
  return tally.outcome;
}

function finishOf(message: Message): string | null {
  const step = message.parts.findLast((part) => part.type === "step-finish");
  const finish = message.info.finish ?? step?.reason;
  return finish === undefined ? null : visible(shorten(finish, MAX_CHARS));
}

function keep(list: string[], text: string): void {
  if (list.length < MAX_ENTRIES) list.push(visible(shorten(text, MAX_CHARS)));
}

import type { NativeEventRecord } from "../evidence/reader-streams.ts";
import { shorten } from "../schema/display.ts";
import { TEXT_LIMITS } from "./limits.ts";
import { at, preview, textAt } from "./unknown-value.ts";

/** What a timeline shows of one native event. Everything in it is the agent's claim. */
export interface EventWords {
  title: string;
  detail: string | null;
  sessionId: string | null;
  callId: string | null;
}

type Words = { title: string | null; detail?: unknown };

function partWords(part: unknown): Words {
  const type = textAt(part, "type");
  switch (type) {
    case "tool": {
      const status = textAt(part, "state", "status") ?? "";
      const title = textAt(part, "state", "title") ?? preview(at(part, "state", "input"), TEXT_LIMITS.title) ?? "";
      const result = textAt(part, "state", "error") ?? textAt(part, "state", "output");
      return { title: `${textAt(part, "tool") ?? "tool"} ${status} ${title}`, detail: result };
    }
    case "text":
    case "reasoning":
      return { title: textAt(part, "text"), detail: null };
    case "step-finish":
      return { title: `step-finish ${textAt(part, "reason") ?? ""}`, detail: at(part, "tokens") };
    default:
      return { title: type, detail: null };
  }
}

function messageWords(info: unknown): Words {
  const error = at(info, "error");
  const finish = textAt(info, "finish");
  const title = [textAt(info, "role"), finish, textAt(info, "modelID")].filter((one) => one !== null).join(" ");
  return { title, detail: error ?? null };
}

function eventWords(type: string, properties: unknown): Words {
  switch (type) {
    case "message.part.updated":
      return partWords(at(properties, "part"));
    case "message.updated":
      return messageWords(at(properties, "info"));
    case "session.created":
    case "session.updated":
    case "session.deleted":
      return { title: textAt(properties, "info", "title"), detail: null };
    case "session.status":
      return { title: textAt(properties, "status", "type"), detail: textAt(properties, "status", "message") };
    case "session.error":
      return { title: textAt(properties, "error", "name"), detail: at(properties, "error", "data") };
    case "permission.asked":
      return { title: textAt(properties, "permission"), detail: at(properties, "patterns") };
    case "permission.replied":
      return { title: textAt(properties, "reply"), detail: textAt(properties, "requestID") };
    case "file.edited":
      return { title: textAt(properties, "file") };
    case "command.executed":
      return { title: `${textAt(properties, "name") ?? ""} ${textAt(properties, "arguments") ?? ""}` };
    default:
      return { title: null, detail: properties };
  }
}

function hookWords(event: NativeEventRecord): Words | undefined {
  switch (event.type) {
    case "tool.execute.before":
      return { title: textAt(event.input, "tool"), detail: at(event.output, "args") };
    case "tool.execute.after":
      return { title: textAt(event.input, "tool"), detail: textAt(event.output, "title") };
    case "shell.env":
      return { title: textAt(event.input, "cwd"), detail: null };
    default:
      return undefined;
  }
}

/** `properties` of an event, or the input of a hook. */
export function propertiesOf(event: NativeEventRecord): unknown {
  return at(event.input, "properties") ?? event.input;
}

/** Session that a native event belongs to, as it says. */
export function sessionOf(event: NativeEventRecord): string | null {
  const properties = propertiesOf(event);
  return (
    textAt(properties, "sessionID") ??
    textAt(properties, "part", "sessionID") ??
    textAt(properties, "info", "sessionID") ??
    (event.type.startsWith("session.") ? textAt(properties, "info", "id") : null)
  );
}

export function describeEvent(event: NativeEventRecord): EventWords {
  const properties = propertiesOf(event);
  const words = hookWords(event) ?? eventWords(event.type, properties);
  const callId = textAt(properties, "callID") ?? textAt(properties, "part", "callID");
  return {
    title: shorten(words.title ?? "", TEXT_LIMITS.title),
    detail: preview(words.detail, TEXT_LIMITS.detail),
    sessionId: sessionOf(event),
    callId: callId ?? textAt(properties, "tool", "callID"),
  };
}

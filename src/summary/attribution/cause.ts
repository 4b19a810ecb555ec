import type { GatewayCall } from "./gateway-calls.ts";

/**
 * How an effect was tied to a call, best first.
 * `command`: the shell's last argument equals the command that the model asked for. `helper`: a search program that the agent starts for a tool.
 * `path`, `host`: done inside the agent's own process, on the very file or host that the call names, while the call was open.
 * `ancestry`: by a descendant of a process that was tied in one of these ways.
 */
export type Method = "command" | "helper" | "path" | "host" | "ancestry";

/** `medium`: several calls would explain it equally well, or the call was over. */
export type Confidence = "high" | "medium";

export interface CallCause {
  kind: "call";
  call: GatewayCall;
  method: Method;
  confidence: Confidence;
}

/** The agent's own machinery did it: its store, its look at the repository, its talk with the model. */
export interface AgentCause {
  kind: "agent";
  what: "program" | "own-files" | "model" | "repository";
}

/** No call explains it. That is a finding, not a failure. */
export interface NoCause {
  kind: "none";
  why: "no-call" | "before-any-call" | "command-ran-twice" | "unknown-parent";
}

export type Cause = CallCause | AgentCause | NoCause;

import type { NativeEventRecord } from "../../evidence/reader-streams.ts";
import type { CaptureEvent } from "../../schema/event.ts";
import { AgentDiff } from "./agent-diff.ts";
import { type Claims, claimsOf, type Named } from "./claims.ts";
import { ClaimWitness } from "./witness.ts";

/** What was said, ready to be compared with what was done. */
export interface Statement {
  claims: Claims;
  /** Commands and files of the final message that the kernel's events do not have. */
  unseenCommands: readonly Named[];
  unseenFiles: readonly Named[];
  /** The agent's own account of its changes; undefined: it gave none. */
  agentDiff: readonly string[] | undefined;
  message: string;
}

/** Collects what the agent says of a run, and looks for it in the kernel's events. Native events come before these. */
export class Said {
  readonly #diff = new AgentDiff();
  #message = "";
  #claims: Claims = claimsOf(null);
  #witness: ClaimWitness = new ClaimWitness(this.#claims);

  addNative(event: NativeEventRecord): void {
    this.#diff.add(event);
  }

  /** The agent's last words. */
  hear(message: string | null): void {
    this.#message = message ?? "";
    this.#claims = claimsOf(message);
    this.#witness = new ClaimWitness(this.#claims);
  }

  add(event: CaptureEvent): void {
    this.#witness.add(event);
  }

  statement(): Statement {
    const { unseenCommands, unseenFiles } = this.#witness;
    return {
      claims: this.#claims,
      unseenCommands,
      unseenFiles,
      agentDiff: this.#diff.files,
      message: this.#message,
    };
  }
}

import type { BodyOf } from "../../schema/event.ts";

/** Why a connection that was asked for did not come up, or that it did. */
export interface ConnectResult {
  timeNs: number;
  /** 0: it is up. Else a positive errno; `undefined`: the process gave it up before that was known. */
  error: number | undefined;
}

/** What is known of one socket while it lives. */
export interface SocketState {
  /** Our number; the kernel's identity is used again by others. */
  connection: number;
  local: string | undefined;
  establishedNs: number | undefined;
  /** A connect that did not wait for its outcome. */
  pending: BodyOf<"net.connect"> | undefined;
  /** The outcome came before the record of the call that caused it. */
  early: ConnectResult | undefined;
  /** A connect that did not wait has been told with this outcome: who calls again to learn it makes no other. */
  answered: { process: string; error: number | undefined } | undefined;
}

const MAX_SOCKETS = 20_000;

/** The container's sockets by the identity that the kernel side gives them. Bounded: the oldest goes. */
export class Sockets {
  readonly #states = new Map<string, SocketState>();
  readonly #onForgotten: (state: SocketState) => void;
  #next = 1;

  /** `onForgotten`: called for one that had to go for want of room. */
  constructor(onForgotten: (state: SocketState) => void) {
    this.#onForgotten = onForgotten;
  }

  get(socket: string): SocketState {
    const known = this.#states.get(socket);
    if (known !== undefined) return known;
    const state: SocketState = {
      connection: this.#next++,
      local: undefined,
      establishedNs: undefined,
      pending: undefined,
      early: undefined,
      answered: undefined,
    };
    this.#states.set(socket, state);
    if (this.#states.size > MAX_SOCKETS) {
      const [oldest] = this.#states;
      if (oldest !== undefined) this.#forget(oldest[0], oldest[1]);
    }
    return state;
  }

  delete(socket: string): void {
    this.#states.delete(socket);
  }

  /** Forgets all, for example because the sensor starts anew and numbers sockets anew. */
  clear(): void {
    for (const [socket, state] of this.#states) this.#forget(socket, state);
  }

  #forget(socket: string, state: SocketState): void {
    this.#states.delete(socket);
    this.#onForgotten(state);
  }
}

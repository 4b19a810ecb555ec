import { NetworkLook } from "../polling/network-look.ts";

/**
 * A second witness of connections: the kernel's own statistics of the container's network namespace, which count every
 * TCP connection that was opened from inside.
 */
export class ConnectWitness {
  readonly #look: NetworkLook | undefined;
  readonly #before: number;

  /** `pid`: a process in the namespace. The statistics can be read as long as this lives, also after the last process. */
  constructor(pid: number) {
    this.#look = NetworkLook.open(pid);
    this.#before = this.#look?.tcpCounters()?.activeOpens ?? 0;
  }

  /** Connections opened since; undefined when the statistics can't be read. Call once, at the end. */
  finish(): number | undefined {
    const now = this.#look?.tcpCounters()?.activeOpens;
    this.#look?.close();
    return now === undefined ? undefined : now - this.#before;
  }
}

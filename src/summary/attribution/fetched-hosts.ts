import type { CallCause } from "./cause.ts";
import { type GatewayCall, openAt } from "./gateway-calls.ts";

/** Names of the container itself: it knows no others without asking. */
const OWN_NAMES: ReadonlySet<string> = new Set(["localhost", "sandbox"]);
const MOST_ADDRESSES = 1_000;

/** The hosts that fetching calls name, with the addresses that name servers gave for them. */
export class FetchedHosts {
  readonly #fetches: GatewayCall[];
  readonly #addresses = new Map<string, Set<string>>();
  #known = 0;

  constructor(calls: readonly GatewayCall[]) {
    this.#fetches = calls.filter((call) => call.host !== undefined);
  }

  /** A name server said that the name has this address. */
  learn(name: string, address: string): void {
    if (this.#known >= MOST_ADDRESSES || !this.#fetches.some((call) => call.host === name)) return;
    const known = this.#addresses.get(name) ?? new Set();
    this.#addresses.set(name, known.add(address));
    this.#known++;
  }

  /** @param remote `address:port`, or a name that was asked for. */
  match(remote: string, atMs: number): CallCause | undefined {
    const named = openAt(this.#fetches, atMs).filter((call) => this.#isHostOf(call, remote));
    const [call] = named;
    if (call === undefined) return undefined;
    return { kind: "call", call, method: "host", confidence: named.length === 1 ? "high" : "medium" };
  }

  #isHostOf({ host = "", port }: GatewayCall, remote: string): boolean {
    if (remote === host) return true;
    const { address, remotePort } = split(remote);
    if (remotePort !== port) return false;
    if (address === host || this.#addresses.get(host)?.has(address) === true) return true;
    return OWN_NAMES.has(host) && (address.startsWith("127.") || address === "::1");
  }
}

function split(remote: string): { address: string; remotePort: string | undefined } {
  const [, address = remote, remotePort] = /^\[?(.*?)\]?:(\d+)$/u.exec(remote) ?? [];
  return { address, remotePort };
}

import type { CaptureEvent } from "../../schema/event.ts";
import type { Flows, PacketFlow } from "../../schema/flows.ts";
import { CheckBook, type CrossCheckResult } from "./cross-check.ts";

/** Connects, and addresses that datagrams went to, that are held until the flows are known. */
const MOST_HELD = 50_000;

/** A connect of TCP. */
interface Attempt {
  seq: number;
  local: string | undefined;
  remote: string;
  isConnected: boolean;
  isMatched: boolean;
}

/** Where something was sent by UDP. */
interface Addressee {
  seq: number;
  hasFlow: boolean;
}

export interface NetworkHoles {
  /** Why the kernel's record of the network is not whole; null: it is. */
  events: string | null;
  /** Why the list of flows is not whole; null: it is. */
  packets: string | null;
}

/**
 * Holds the connects and datagrams of the events against the flows of the packets. Streaming: events first, then `results`.
 */
export class NetworkCheck {
  readonly #attempts: Attempt[] = [];
  readonly #addressees = new Map<string, Addressee>();
  #beyond = 0;

  add(event: CaptureEvent): void {
    if (event.kind === "net.connect") this.#connect(event);
    else if (event.kind === "net.datagram" && event.direction === "sent") this.#send(event, event.remote);
    else if (event.kind === "net.dns-query") this.#send(event, event.server);
  }

  /** To be called once. `flows`: undefined where there are none, which `holes.packets` explains. */
  results(flows: Pick<Flows, "flows"> | undefined, holes: NetworkHoles): CrossCheckResult[] {
    const byFlow = new CheckBook("flows");
    const byConnect = new CheckBook("connects");
    const missing = holes.packets ?? "there is no list of flows";
    if (flows === undefined) return [byFlow.result(missing), byConnect.result(missing)];
    const held = this.#beyond === 0 ? null : `${this.#beyond} connects and datagrams are beyond what is held`;
    const unmatched = [...this.#matchTcp(flows.flows), ...this.#matchUdp(flows.flows)];
    const lone = new Set(unmatched);
    for (const flow of flows.flows) {
      if (!lone.has(flow)) byFlow.match();
      else byFlow.mismatch({ class: "network", kind: "flow-without-connect", ...told(flow) });
    }
    this.#judgeConnects(byConnect);
    const eventHole = holes.events ?? held;
    return [
      eventHole === null ? byFlow.result() : new CheckBook("flows").result(eventHole),
      holes.packets === null ? byConnect.result(held) : new CheckBook("connects").result(holes.packets),
    ];
  }

  #connect({ seq, transport, local, remote, outcome }: CaptureEvent & { kind: "net.connect" }): void {
    if (transport !== "tcp" && transport !== "tcp6") return;
    // No packet leaves for where there is no way to.
    if (outcome === "unreachable") return;
    if (this.#attempts.length >= MOST_HELD) {
      this.#beyond++;
      return;
    }
    const isConnected = outcome === "connected";
    this.#attempts.push({
      seq,
      local: local === undefined ? undefined : placeOf(local),
      remote: placeOf(remote),
      isConnected,
      isMatched: false,
    });
  }

  #send(event: CaptureEvent & { kind: "net.datagram" | "net.dns-query" }, to: string): void {
    const { seq, transport, errno } = event;
    if ((transport !== "udp" && transport !== "udp6") || errno !== undefined) return;
    const place = placeOf(to);
    if (this.#addressees.has(place)) return;
    if (this.#addressees.size < MOST_HELD) this.#addressees.set(place, { seq, hasFlow: false });
    else this.#beyond++;
  }

  /** By both ends where they are known, then by the far end alone. @returns flows that no connect explains. */
  #matchTcp(flows: readonly PacketFlow[]): PacketFlow[] {
    const tcp = flows.filter(({ transport }) => transport === "tcp" || transport === "tcp6");
    const exact = groupBy(this.#attempts, ({ local, remote }) => `${local} ${remote}`);
    // Where the beginning was missed it is not known which side began.
    const isEither = ({ opening }: PacketFlow): boolean => opening === "not-seen";
    const left = tcp.filter(
      (flow) =>
        !takeFrom(exact.get(`${flow.from} ${flow.to}`)) &&
        !(isEither(flow) && takeFrom(exact.get(`${flow.to} ${flow.from}`))),
    );
    const remote = groupBy(
      this.#attempts.filter((attempt) => !attempt.isMatched),
      (attempt) => attempt.remote,
    );
    return left.filter(
      (flow) => !takeFrom(remote.get(flow.to)) && !(isEither(flow) && takeFrom(remote.get(flow.from))),
    );
  }

  /** Of datagrams only the far end is known, which may be either of a flow. @returns flows in which nobody sent, by the events. */
  #matchUdp(flows: readonly PacketFlow[]): PacketFlow[] {
    return flows.filter(({ transport, from, to }) => {
      if (transport !== "udp" && transport !== "udp6") return false;
      const ends = [this.#addressees.get(to), this.#addressees.get(from)].filter((one) => one !== undefined);
      for (const one of ends) one.hasFlow = true;
      return ends.length === 0;
    });
  }

  #judgeConnects(book: CheckBook): void {
    for (const { isConnected, isMatched, seq, local, remote } of this.#attempts) {
      if (isMatched) book.match();
      else if (isConnected) mismatch(book, `tcp ${local ?? "?"} → ${remote}`, seq);
      else book.explain("not-connected");
    }
    for (const [place, { seq, hasFlow }] of this.#addressees) {
      if (hasFlow) book.match();
      else mismatch(book, `udp → ${place}`, seq);
    }
  }
}

function mismatch(book: CheckBook, what: string, seq: number): void {
  book.mismatch({ class: "network", kind: "connect-without-flow", what, evidence: [`event:${seq}`] });
}

function told({ flow, transport, from, to }: PacketFlow): { what: string; evidence: string[] } {
  return { what: `${transport} ${from} → ${to}`, evidence: [`flow:${flow}`] };
}

/**
 * An address as it stands in packets: IPv4 in the clothes of IPv6 is IPv4 there, and who asks for "any address" gets the
 * loopback one.
 */
function placeOf(endpoint: string): string {
  const [, host = endpoint, port = ""] = /^(.*):(\d+)$/.exec(endpoint) ?? [];
  const mapped = /^\[::ffff:(\d+\.\d+\.\d+\.\d+)\]$/.exec(host)?.[1] ?? host;
  const real = mapped === "0.0.0.0" ? "127.0.0.1" : mapped === "[::]" ? "[::1]" : mapped;
  return `${real}:${port}`;
}

function groupBy(attempts: readonly Attempt[], keyOf: (attempt: Attempt) => string): Map<string, Attempt[]> {
  const groups = new Map<string, Attempt[]>();
  // The first of a group is taken last from its end.
  for (const attempt of attempts.toReversed()) {
    const group = groups.get(keyOf(attempt));
    if (group === undefined) groups.set(keyOf(attempt), [attempt]);
    else group.push(attempt);
  }
  return groups;
}

/** Marks the earliest that is not matched yet. @returns whether there was one. */
function takeFrom(group: Attempt[] | undefined): boolean {
  const attempt = group?.pop();
  if (attempt === undefined) return false;
  attempt.isMatched = true;
  return true;
}

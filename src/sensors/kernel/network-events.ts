import type { BodyOf } from "../../schema/event.ts";
import { roleOf } from "../polling/connection-table.ts";
import { readDnsMessage } from "./dns-message.ts";
import { type EventContext, headOf, processId } from "./event-context.ts";
import { identityFields } from "./file-events.ts";
import { errnoName, failure, familyName, socketType } from "./names.ts";
import type {
  DatagramRecord,
  DescriptorRecord,
  NetworkRecord,
  SocketAddress,
  SocketCallRecord,
  SocketHead,
  TcpStateRecord,
} from "./record.ts";
import { formatEndpoint, isInternet, portOf, transportOf } from "./socket-address.ts";
import { type ConnectResult, type SocketState, Sockets } from "./sockets.ts";
import { openedFields } from "./standard-descriptors.ts";

type ConnectBody = BodyOf<"net.connect">;

const TCP_ESTABLISHED = 1;
const TCP_SYN_SENT = 2;
const TCP_CLOSE = 7;
const TCP_LISTEN = 10;
const DNS_PORT = 53;
const AF_UNIX = 1;
const AGAIN = -11;
const ALREADY = 114;
const IS_CONNECTED = 106;
/** EINTR, EINPROGRESS, and the kernel's own ways to say that a signal came between: the connection goes on being made. */
const UNDECIDED: ReadonlySet<number> = new Set([4, 115, 512, 513, 514, 516]);
const INTERRUPTED = 4;
const ABORTED = 103;

const OUTCOMES: Readonly<Record<string, ConnectBody["outcome"]>> = {
  ECONNREFUSED: "refused",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  EHOSTDOWN: "unreachable",
  ETIMEDOUT: "timeout",
};

/** Makes the events about sockets. `modelAddress`: where the model listens inside the container. */
export class NetworkEvents {
  readonly #context: EventContext;
  readonly #modelAddress: string | undefined;
  readonly #sockets = new Sockets((state) => this.#giveUp(state));

  constructor(context: EventContext, modelAddress: string | undefined) {
    this.#context = context;
    this.#modelAddress = modelAddress;
  }

  add(record: NetworkRecord): void {
    switch (record.kind) {
      case "socket": {
        const { family, type, protocol, result } = record;
        const head = headOf(record, this.#context.clock);
        const names = { family: familyName(family), type: socketType(type) };
        this.#context.emit({ kind: "net.socket", ...head, ...names, protocol, ...failure(result) });
        return;
      }
      case "connect":
        return this.#connect(record);
      case "bind":
      case "listen":
        return this.#wait(record);
      case "accept":
        return this.#accept(record);
      case "tcp-state":
        return this.#tcpState(record);
      case "datagram":
        return this.#datagram(record);
      case "descriptor":
        this.#descriptor(record);
    }
  }

  /** Our number of the socket. */
  connectionOf(socket: string): number {
    return this.#sockets.get(socket).connection;
  }

  /** Writes the connects whose outcome is not known, and forgets all sockets. */
  finish(): void {
    this.#sockets.clear();
  }

  #connect(record: SocketCallRecord): void {
    const state = this.#sockets.get(record.socket);
    const error = record.result < 0 ? -record.result : 0;
    // Another call for the same connection, by a program that wants to know what became of it.
    if (error === ALREADY && state.pending !== undefined) return;
    const { answered, pending } = state;
    state.answered = undefined;
    if (error === IS_CONNECTED && state.establishedNs !== undefined) return;
    if (answered?.process === processId(record.process) && isAnswer(answered.error, error)) return;
    const early = state.early;
    state.early = undefined;
    const event: ConnectBody = {
      kind: "net.connect",
      ...this.#head(record, state, record.address.family),
      ...localOf(state),
      ...this.#remote(record, record.address),
      outcome: "in-progress",
    };
    // A signal interrupts a call that waits; the kernel makes it anew, and it is still the same one.
    const isRepeated = pending?.process === event.process && pending.remote === event.remote;
    if (!isUndecided(record, error)) {
      if (isRepeated) state.pending = undefined;
      else this.#giveUp(state);
      this.#decide(isRepeated ? pending : event, { timeNs: record.timeNs, error });
    } else if (early !== undefined) {
      this.#answer(state, event, early);
    } else if (!isRepeated) {
      this.#giveUp(state);
      state.pending = event;
    }
  }

  #answer(state: SocketState, event: ConnectBody, result: ConnectResult): void {
    state.answered = { process: event.process, error: result.error };
    this.#decide(event, result);
  }

  #decide(event: ConnectBody, { timeNs, error }: ConnectResult): void {
    if (error === 0) event.outcome = "connected";
    else if (error !== undefined) {
      event.errno = errnoName(error);
      event.outcome = OUTCOMES[event.errno] ?? "failed";
    }
    const waitedMs = (timeNs - event.mono_ns) / 1e6;
    if (waitedMs > 0) event.duration_ms = Math.round(waitedMs * 1000) / 1000;
    this.#context.emit(event);
  }

  #giveUp(state: SocketState): void {
    if (state.pending !== undefined) this.#context.emit(state.pending);
    state.pending = undefined;
  }

  #wait(record: SocketCallRecord): void {
    const state = this.#sockets.get(record.socket);
    const local = formatEndpoint(record.address);
    const head = this.#head(record, state, record.address.family);
    if (record.result >= 0 && local !== "") state.local = local;
    const failed = failure(record.result);
    if (record.kind === "bind") this.#context.emit({ kind: "net.bind", ...head, local, ...failed });
    else this.#context.emit({ kind: "net.listen", ...head, ...localOf(state), ...failed });
  }

  #accept(record: SocketCallRecord): void {
    // A server that asks whether someone is there, and no one is.
    if (record.result === AGAIN) return;
    const state = this.#sockets.get(record.socket);
    if (record.local !== undefined) state.local = formatEndpoint(record.local);
    this.#context.emit({
      kind: "net.accept",
      ...this.#head(record, state, record.address.family),
      ...localOf(state),
      ...this.#remote(record, record.address),
      ...failure(record.result),
    });
  }

  #tcpState(record: TcpStateRecord): void {
    const { from, to, timeNs, error } = record;
    const state = this.#sockets.get(record.socket);
    state.local = formatEndpoint(record.local);
    if (to === TCP_ESTABLISHED) state.establishedNs = timeNs;
    if (from === TCP_SYN_SENT) {
      const gaveUp = to === TCP_CLOSE && error === 0;
      this.#resolve(state, { timeNs, error: to === TCP_ESTABLISHED ? 0 : gaveUp ? undefined : error });
      return;
    }
    if (to !== TCP_CLOSE) return;
    if (from !== TCP_LISTEN) this.#close(record, state);
    this.#sockets.delete(record.socket);
  }

  #resolve(state: SocketState, result: ConnectResult): void {
    const { pending } = state;
    if (pending === undefined) {
      state.early = result;
      // What was told before was of another attempt.
      state.answered = undefined;
      return;
    }
    state.pending = undefined;
    if (pending.local === undefined) Object.assign(pending, localOf(state));
    this.#answer(state, pending, result);
  }

  #close(record: TcpStateRecord, state: SocketState): void {
    const { establishedNs } = state;
    this.#context.emit({
      kind: "net.close",
      ...this.#head(record, state, record.remote.family),
      ...localOf(state),
      ...this.#remote(record, record.remote),
      bytes_sent: record.bytesSent,
      bytes_received: record.bytesReceived,
      duration_ms:
        establishedNs === undefined ? null : Math.max(0, Math.round((record.timeNs - establishedNs) / 1e3) / 1e3),
      ...(record.error === 0 ? {} : { errno: errnoName(record.error) }),
    });
  }

  #datagram(record: DatagramRecord): void {
    const { direction, payload, remote, sizeBytes, messages, result } = record;
    if (result === AGAIN) return;
    const state = this.#sockets.get(record.socket);
    const head = { ...this.#head(record, state, remote.family), ...failure(result) };
    const isDns = payload.length > 0;
    const message = isDns ? readDnsMessage(payload, payload.length < sizeBytes) : undefined;
    if (message !== undefined && portOf(remote) === DNS_PORT && message.isAnswer === (direction === "received")) {
      const { id, questions, cut } = message;
      const server = formatEndpoint(remote);
      const dns = { ...head, server, id, questions, size_bytes: sizeBytes, ...(cut ? { cut: true as const } : {}) };
      if (direction === "sent") this.#context.emit({ kind: "net.dns-query", ...dns });
      else this.#context.emit({ kind: "net.dns-answer", ...dns, rcode: message.rcode, answers: message.answers });
      return;
    }
    this.#context.emit({
      kind: "net.datagram",
      ...head,
      direction,
      ...this.#remote(record, remote),
      size_bytes: sizeBytes,
      ...(messages === 1 ? {} : { messages }),
      ...(isDns && message === undefined ? { malformed_dns: true, payload_b64: payload.toString("base64") } : {}),
    });
  }

  #descriptor(record: DescriptorRecord): void {
    const { file, direction } = record;
    const head = this.#head(record, this.#sockets.get(record.socket), AF_UNIX);
    this.#context.emit({ kind: "net.descriptor", ...head, direction, ...openedFields(file), ...identityFields(file) });
  }

  #head(record: SocketHead, { connection }: SocketState, family: number) {
    const transport = transportOf(family, record.type);
    return { ...headOf(record, this.#context.clock), connection, transport };
  }

  #remote(record: SocketHead, address: SocketAddress) {
    const remote = formatEndpoint(address);
    return { remote, role: this.#roleOf(transportOf(address.family, record.type), address.family, remote) };
  }

  #roleOf(proto: string, family: number, remote: string): ConnectBody["role"] {
    if (!isInternet(family) && proto !== "unix") return "unknown";
    const row = { proto, state: "ESTABLISHED", local: "", remote };
    return roleOf(row, (endpoint) => endpoint === this.#modelAddress);
  }
}

/** Only TCP goes on with a connection after the program was told of an interruption. */
function isUndecided({ address }: SocketCallRecord, error: number): boolean {
  return UNDECIDED.has(error) && (error !== INTERRUPTED || isInternet(address.family));
}

/** What the kernel says to a second call for an attempt that is over: its outcome, once; whoever asked otherwise has had it. */
function isAnswer(told: number | undefined, error: number): boolean {
  return error === told || (error === ABORTED && told !== 0);
}

function localOf({ local }: SocketState): { local?: string } {
  return local === undefined || local === "" ? {} : { local };
}

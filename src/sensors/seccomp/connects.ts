import type { BodyOf } from "../../schema/event.ts";
import { formatEndpoint, transportOf } from "../kernel/socket-address.ts";
import { roleOf } from "../polling/connection-table.ts";
import type { LineOf } from "./line.ts";

type AddressLine = LineOf<"connect" | "bind">;
type AddressBody = BodyOf<"net.connect"> | BodyOf<"net.bind">;

/** What every event about a call begins with. */
export type CallHead = Pick<BodyOf<"net.bind">, "mono_ns" | "time" | "source" | "process" | "tid" | "attempted">;

const STREAM = 1;
const MAX_SOCKETS = 20_000;
/** To connect to no family at all is to dissolve a datagram socket's connection. */
const AF_UNSPEC = 0;

/** Makes the events about sockets. */
export class ConnectEvents {
  readonly #modelAddress: string | undefined;
  /** Our numbers of sockets, by the kernel's. */
  readonly #numbers = new Map<number, number>();
  #next = 1;

  /** `modelAddress`: where the model listens inside the container. */
  constructor(modelAddress: string | undefined) {
    this.#modelAddress = modelAddress;
  }

  /** The event about a call; undefined where there is nothing to tell. */
  describe(line: AddressLine, head: CallHead): AddressBody | undefined {
    if (line.address.length < 2) return undefined;
    const address = { family: line.address.readUInt16LE(0), raw: line.address };
    if (address.family === AF_UNSPEC) return undefined;
    const transport = transportOf(address.family, line.type || STREAM);
    const end = formatEndpoint(address);
    const socket = { ...head, connection: this.#numberOf(line.socket), transport };
    if (line.k === "bind") return { kind: "net.bind", ...socket, local: end };
    const row = { proto: transport, state: "", local: "", remote: end };
    const role = roleOf(row, (endpoint) => endpoint === this.#modelAddress);
    return { kind: "net.connect", ...socket, remote: end, role, outcome: "in-progress" };
  }

  #numberOf(socket: number): number {
    const known = this.#numbers.get(socket);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MAX_SOCKETS) this.#numbers.clear();
    this.#numbers.set(socket, this.#next);
    return this.#next++;
  }
}

import { shorten } from "../../schema/display.ts";

/** What a TLS client says first (RFC 8446, 4.1.2; names: RFC 6066; encrypted greetings: draft-ietf-tls-esni). */
export interface TlsGreeting {
  serverName: string | null;
  encryptedHello: boolean;
  protocols: string[];
}

/** `more`: at least `neededBytes` must be there to go on. `none`: this is no greeting. */
export type GreetingRead =
  | { state: "read"; greeting: TlsGreeting }
  | { state: "more"; neededBytes: number }
  | { state: "none" };

const RECORD_HEAD_BYTES = 5;
const HANDSHAKE = 22;
const MAJOR_VERSION = 3;
const MAX_RECORD_BYTES = (1 << 14) + 256;
const CLIENT_HELLO = 1;
const MESSAGE_HEAD_BYTES = 4;
const VERSION_AND_RANDOM_BYTES = 34;

const SERVER_NAME = 0;
const PROTOCOLS = 16;
const ENCRYPTED_HELLO = 0xfe0d;
const HOST_NAME = 0;
const MAX_NAME = 300;
const MOST_PROTOCOLS = 10;

const NONE = { state: "none" } as const;

/** Whether a stream that begins so may be TLS. An empty one may. */
export function mayBeTls(start: Buffer): boolean {
  return (start[0] ?? HANDSHAKE) === HANDSHAKE && (start[1] ?? MAJOR_VERSION) === MAJOR_VERSION;
}

/** Reads the greeting at the beginning of a stream; it may be spread over several records. */
export function readGreeting(stream: Buffer): GreetingRead {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; ; ) {
    if (!mayBeTls(stream.subarray(at))) return NONE;
    if (stream.length < at + RECORD_HEAD_BYTES) return { state: "more", neededBytes: at + RECORD_HEAD_BYTES };
    const length = stream.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD_BYTES) return NONE;
    const end = at + RECORD_HEAD_BYTES + length;
    if (stream.length < end) return { state: "more", neededBytes: end };
    parts.push(stream.subarray(at + RECORD_HEAD_BYTES, end));
    have += length;
    at = end;
    const wanted = messageBytes(parts, have);
    if (wanted === undefined) return NONE;
    if (have >= wanted) return readMessage(Buffer.concat(parts, wanted).subarray(MESSAGE_HEAD_BYTES));
  }
}

/** Length of the message with its head; more than there is, as long as that is not known. Undefined: another message. */
function messageBytes(parts: readonly Buffer[], have: number): number | undefined {
  const [first] = parts;
  const head = first !== undefined && first.length >= MESSAGE_HEAD_BYTES ? first : Buffer.concat([...parts]);
  if (head[0] !== CLIENT_HELLO) return undefined;
  return have < MESSAGE_HEAD_BYTES ? have + 1 : MESSAGE_HEAD_BYTES + head.readUIntBE(1, 3);
}

function readMessage(body: Buffer): GreetingRead {
  const greeting: TlsGreeting = { serverName: null, encryptedHello: false, protocols: [] };
  let rest: Buffer | undefined =
    body.length < VERSION_AND_RANDOM_BYTES ? undefined : body.subarray(VERSION_AND_RANDOM_BYTES);
  // Session id, cipher suites, compression methods.
  for (const lengthBytes of [1, 2, 1]) rest = rest && vector(rest, lengthBytes)?.rest;
  if (rest === undefined) return NONE;
  if (rest.length === 0) return { state: "read", greeting };
  const extensions = vector(rest, 2)?.value;
  if (extensions === undefined) return NONE;
  for (let left = extensions; left.length > 0; ) {
    const next: Vector | undefined = left.length < 4 ? undefined : vector(left.subarray(2), 2);
    if (next === undefined) return NONE;
    takeExtension(left.readUInt16BE(0), next.value, greeting);
    left = next.rest;
  }
  return { state: "read", greeting };
}

function takeExtension(type: number, value: Buffer, greeting: TlsGreeting): void {
  if (type === SERVER_NAME) greeting.serverName ??= hostName(value);
  if (type === ENCRYPTED_HELLO) greeting.encryptedHello = true;
  if (type === PROTOCOLS) greeting.protocols = protocolNames(value);
}

function hostName(value: Buffer): string | null {
  for (let left = vector(value, 2)?.value; left !== undefined && left.length > 3; ) {
    const entry = vector(left.subarray(1), 2);
    if (entry === undefined) return null;
    if (left[0] === HOST_NAME) return shorten(entry.value.toString("utf8"), MAX_NAME);
    left = entry.rest;
  }
  return null;
}

function protocolNames(value: Buffer): string[] {
  const names: string[] = [];
  for (let left = vector(value, 2)?.value; left !== undefined && left.length > 0 && names.length < MOST_PROTOCOLS; ) {
    const entry = vector(left, 1);
    if (entry === undefined) break;
    names.push(entry.value.toString("latin1"));
    left = entry.rest;
  }
  return names;
}

interface Vector {
  value: Buffer;
  rest: Buffer;
}

/** Bytes behind their length, which takes `lengthBytes`. Undefined: they are not all there. */
function vector(bytes: Buffer, lengthBytes: number): Vector | undefined {
  if (bytes.length < lengthBytes) return undefined;
  const end = lengthBytes + bytes.readUIntBE(0, lengthBytes);
  return bytes.length < end ? undefined : { value: bytes.subarray(lengthBytes, end), rest: bytes.subarray(end) };
}

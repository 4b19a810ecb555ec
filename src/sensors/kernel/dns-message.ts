import { type DecodedPacket, decode } from "dns-packet";
import { shorten } from "../../schema/display.ts";
import type { BodyOf } from "../../schema/event.ts";

type Answer = BodyOf<"net.dns-answer">["answers"][number];

export interface DnsMessage {
  isAnswer: boolean;
  id: number;
  rcode: string;
  questions: { name: string; type: string }[];
  answers: Answer[];
  cut: boolean;
}

const MAX_LISTED = 50;
const MAX_TEXT = 300;
const HEADER_BYTES = 12;
/** Counts of answers, authorities and additions: bytes 6 to 11 of the header. */
const COUNTS_AT = 6;

/**
 * Reads a message of DNS. The bytes are whatever a process sent: undefined when they are no such message.
 * `cut`: the end of the message is missing; then only its questions are read.
 */
export function readDnsMessage(payload: Buffer, cut: boolean): DnsMessage | undefined {
  if (payload.length < HEADER_BYTES) return undefined;
  const packet = tryDecode(cut ? withoutAnswers(payload) : payload) ?? tryDecode(withoutAnswers(payload));
  if (packet === undefined) return undefined;
  const { questions = [], answers = [], id = 0 } = packet;
  return {
    isAnswer: packet.type === "response",
    id,
    // The library's types leave out what its decoder sets.
    rcode: "rcode" in packet ? String(packet.rcode) : "",
    questions: questions
      .slice(0, MAX_LISTED)
      .map(({ name, type }) => ({ name: shorten(name, MAX_TEXT), type: String(type) })),
    answers: answers.slice(0, MAX_LISTED).map((answer) => ({
      name: shorten(answer.name, MAX_TEXT),
      type: String(answer.type),
      data: shorten(dataText("data" in answer ? answer.data : ""), MAX_TEXT),
    })),
    cut,
  };
}

function tryDecode(payload: Buffer): DecodedPacket | undefined {
  try {
    return decode(payload);
  } catch {
    return undefined;
  }
}

function withoutAnswers(payload: Buffer): Buffer {
  const copy = Buffer.from(payload);
  copy.fill(0, COUNTS_AT, HEADER_BYTES);
  return copy;
}

function dataText(data: unknown): string {
  if (typeof data === "string") return data;
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  if (Array.isArray(data)) return data.map(dataText).join(" ");
  return JSON.stringify(data) ?? "";
}

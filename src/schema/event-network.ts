import * as z from "zod";
import { count } from "./common.ts";
import {
  bytesText,
  durationMs,
  errno,
  fileIdentity,
  localEnd,
  processHead,
  remoteEnd,
  roleOfRemote,
  socketHead,
} from "./event-parts.ts";

export const socketEvent = z
  .object({
    kind: z.literal("net.socket"),
    ...processHead,
    family: z.string().describe("Address family, by name where known."),
    type: z.string().describe("`stream`, `datagram`, `raw`, …"),
    protocol: z.number().int().describe("Protocol number."),
    errno,
  })
  .describe("A socket of an unusual family, or a raw one, was asked for.");

export const connectOutcome = z.enum(["connected", "refused", "unreachable", "timeout", "in-progress", "failed"]);

export const connectEvent = z
  .object({
    kind: z.literal("net.connect"),
    ...socketHead,
    local: localEnd,
    remote: remoteEnd,
    role: roleOfRemote,
    outcome: connectOutcome.describe(
      "`in-progress`: not known when the watch ended, or not seen (`attempted`). `failed`: see `errno`.",
    ),
    errno,
    duration_ms: durationMs.optional().describe("Until the outcome, for a connect that did not wait for it."),
  })
  .describe(
    "A process connected to somewhere, or tried to. One event a call, written when the outcome is known; `mono_ns` is that of the call.",
  );

export const bindEvent = z
  .object({ kind: z.literal("net.bind"), ...socketHead, local: z.string().describe("Own address."), errno })
  .describe("A socket got an address of its own.");

export const listenEvent = z
  .object({ kind: z.literal("net.listen"), ...socketHead, local: localEnd, errno })
  .describe("A socket began to wait for connections.");

export const acceptEvent = z
  .object({
    kind: z.literal("net.accept"),
    ...socketHead,
    local: localEnd,
    remote: remoteEnd,
    role: roleOfRemote,
    errno,
  })
  .describe("A process took a connection.");

export const closeEvent = z
  .object({
    kind: z.literal("net.close"),
    ...socketHead,
    local: localEnd,
    remote: remoteEnd,
    role: roleOfRemote,
    bytes_sent: count.describe("Bytes sent."),
    bytes_received: count.describe("Bytes received."),
    duration_ms: durationMs.nullable().describe("Since it was established; null: that was not seen."),
    errno,
  })
  .describe("A TCP connection ended.");

export const datagramEvent = z
  .object({
    kind: z.literal("net.datagram"),
    ...socketHead,
    direction: z.enum(["sent", "received"]).describe("Seen from the process."),
    remote: remoteEnd,
    role: roleOfRemote,
    size_bytes: count.describe("Length."),
    messages: count.optional().describe("Messages that this event stands for, where more than one."),
    malformed_dns: z.literal(true).optional().describe("To or from port 53, but no message of DNS."),
    payload_b64: z.string().optional().describe("Its first bytes, where `malformed_dns`."),
    errno,
  })
  .describe("A datagram was sent or received.");

export const descriptorEvent = z
  .object({
    kind: z.literal("net.descriptor"),
    ...socketHead,
    direction: z.enum(["sent", "received"]).describe("Seen from the process: each passing has one of both."),
    ...bytesText("object", "What the descriptor leads to: a path, `pipe:<inode>`, `socket:<inode>`."),
    ...fileIdentity,
  })
  .describe(
    "A descriptor was passed through a Unix socket: the receiver can use what it could perhaps not have opened.",
  );

const question = z.object({
  name: z.string().describe("The name."),
  type: z.string().describe("`A`, `AAAA`, `TXT`, …"),
});

const dnsHead = {
  ...socketHead,
  server: z.string().describe("The name server, `address:port`."),
  id: count.describe("Number that joins query and answer."),
  questions: z.array(question).describe("What was asked."),
  size_bytes: count.describe("Length of the message."),
  cut: z.literal(true).optional().describe("The message was longer than what the sensor keeps."),
};

export const dnsQueryEvent = z
  .object({ kind: z.literal("net.dns-query"), ...dnsHead, errno })
  .describe("A process asked for a name, in a datagram to port 53.");

export const dnsAnswerEvent = z
  .object({
    kind: z.literal("net.dns-answer"),
    ...dnsHead,
    rcode: z.string().describe("`NOERROR`, `NXDOMAIN`, …"),
    answers: z
      .array(z.object({ name: z.string(), type: z.string(), data: z.string().describe("Address or text.") }))
      .describe("What was answered, bounded."),
  })
  .describe("A process received the answer of a name server.");

import * as z from "zod";
import { count, schemaVersion, timestamp } from "./common.ts";

/** What the packets of the container's network namespace show. Who sent them is not in a packet: that stands in the events. */

const side = z.object({
  packets: count.describe("Packets."),
  bytes: count.describe("Bytes of payload, as often as they were sent."),
});

export const packetFlow = z.object({
  flow: count.describe("Number of the flow, from 0."),
  transport: z.enum(["tcp", "tcp6", "udp", "udp6"]).describe("By what the packets are, not by the kind of socket."),
  from: z.string().describe("`address:port` of the side that began, as far as was seen."),
  to: z.string().describe("`address:port` of the other side."),
  interface: z.string().describe("Interface of the first packet."),
  first_at: timestamp.describe("Time of the first packet."),
  last_at: timestamp.describe("Time of the last packet."),
  forward: side.describe("From `from` to `to`."),
  back: side.describe("From `to` to `from`."),
  opening: z
    .enum(["answered", "refused", "unanswered", "not-seen"])
    .optional()
    .describe("TCP: what became of the first SYN; `not-seen`: the flow does not begin with one."),
  payload_omitted: z
    .literal(true)
    .optional()
    .describe("Connection to the model: only headers are recorded here, the gateway has the content."),
});
export type PacketFlow = z.infer<typeof packetFlow>;

const question = z.object({ name: z.string(), type: z.string() });

export const packetDns = z.object({
  flow: count.nullable().describe("Number of the flow; null: it is not listed."),
  time: timestamp,
  from: z.string().describe("Sender, `address:port`."),
  to: z.string().describe("Receiver, `address:port`."),
  is_answer: z.boolean().describe("False: a question."),
  id: count.describe("Number that joins question and answer."),
  questions: z.array(question).describe("What was asked."),
  rcode: z.string().optional().describe("Of an answer: `NOERROR`, `NXDOMAIN`, …"),
  answers: z
    .array(z.object({ name: z.string(), type: z.string(), data: z.string() }))
    .optional()
    .describe("Of an answer, bounded."),
  cut: z.literal(true).optional().describe("The packet was recorded in part: what stood behind is missing."),
});
export type PacketDns = z.infer<typeof packetDns>;

export const packetGreeting = z.object({
  flow: count.nullable().describe("Number of the flow; null: it is not listed."),
  time: timestamp.describe("Time of the packet that completed it."),
  from: z.string().describe("Who greets, `address:port`."),
  to: z.string().describe("Who is greeted, `address:port`."),
  server_name: z.string().nullable().describe("Name in the greeting (SNI); null: it has none."),
  encrypted_hello: z
    .literal(true)
    .optional()
    .describe("It carries an encrypted greeting (ECH, or a dummy of one): the real name may be hidden in there."),
  protocols: z.array(z.string()).describe("What is to be spoken inside (ALPN), bounded."),
  segments: count.describe("TCP segments that it was put together from."),
});
export type PacketGreeting = z.infer<typeof packetGreeting>;

/** `observations/flows.json`: made from the packets while they came, also of those for which the file had no room. */
export const flows = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  packets: z.object({
    seen: count.describe("Packets that arrived at the recorder."),
    bytes: count.describe("Their length."),
    kept: count.describe("Of these, in observations/packets.pcapng."),
    dropped: count.nullable().describe("Packets that the kernel had no room for; null: it did not say."),
    cut: count.describe("Packets of which only the beginning is recorded."),
    payload_omitted: count.describe("Packets to and from the model, of which only headers are recorded."),
    unreadable: count.describe("Packets of IP whose headers make no sense."),
  }),
  interfaces: z.array(z.object({ name: z.string(), link_type: count.describe("Number of pcap's list.") })),
  flows: z.array(packetFlow),
  unlisted_packets: count.describe("Packets of flows beyond the limit of the list."),
  other_packets: z.record(z.string(), count).describe("Packets that belong to no flow, by protocol."),
  dns: z.array(packetDns).describe("Questions and answers in datagrams from and to port 53, in order."),
  greetings: z.array(packetGreeting).describe("First messages of TLS, in order."),
  unread_greetings: count.describe("Streams that begin like TLS, whose greeting could not be read whole."),
  unreadable_dns: count.describe("Datagrams from or to port 53 that are no message of DNS."),
  unlisted: count.describe("Questions, answers and greetings beyond the limits of their lists."),
});
export type Flows = z.infer<typeof flows>;

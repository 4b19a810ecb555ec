import * as z from "zod";
import {
  allocateEvent,
  chmodEvent,
  chownEvent,
  chrootEvent,
  closeWriteEvent,
  linkEvent,
  mkdirEvent,
  mknodEvent,
  mountEvent,
  openEvent,
  openFailedEvent,
  removexattrEvent,
  renameEvent,
  rmdirEvent,
  setxattrEvent,
  sharedMappingEvent,
  symlinkEvent,
  truncateEvent,
  umountEvent,
  unlinkEvent,
  utimeEvent,
} from "./event-file.ts";
import {
  acceptEvent,
  bindEvent,
  closeEvent,
  connectEvent,
  datagramEvent,
  descriptorEvent,
  dnsAnswerEvent,
  dnsQueryEvent,
  listenEvent,
  socketEvent,
} from "./event-network.ts";
import {
  blindSpotEvent,
  credentialsEvent,
  execEvent,
  execFailedEvent,
  exitEvent,
  forkEvent,
  foundEvent,
  goneEvent,
  namespaceEvent,
  reachEvent,
  survivorEvent,
} from "./event-process.ts";
import { canaryEvent, countersEvent, gapEvent, readyEvent } from "./event-sensor.ts";

/** Every kind of event, in the order of the documentation; docs/events/ has a page for each. */
const EVENT_KINDS = [
  forkEvent,
  foundEvent,
  execEvent,
  execFailedEvent,
  exitEvent,
  goneEvent,
  survivorEvent,
  credentialsEvent,
  namespaceEvent,
  reachEvent,
  blindSpotEvent,
  openEvent,
  openFailedEvent,
  closeWriteEvent,
  sharedMappingEvent,
  unlinkEvent,
  rmdirEvent,
  mkdirEvent,
  mknodEvent,
  renameEvent,
  linkEvent,
  symlinkEvent,
  chmodEvent,
  chownEvent,
  truncateEvent,
  setxattrEvent,
  removexattrEvent,
  mountEvent,
  umountEvent,
  chrootEvent,
  utimeEvent,
  allocateEvent,
  socketEvent,
  connectEvent,
  bindEvent,
  listenEvent,
  acceptEvent,
  closeEvent,
  datagramEvent,
  descriptorEvent,
  dnsQueryEvent,
  dnsAnswerEvent,
  readyEvent,
  canaryEvent,
  countersEvent,
  gapEvent,
] as const;

/** One line of `observations/events.jsonl`. */
export const captureEvent = z.discriminatedUnion("kind", EVENT_KINDS);
export type CaptureEvent = z.infer<typeof captureEvent>;
export type EventKind = CaptureEvent["kind"];
export type EventOf<K extends EventKind> = Extract<CaptureEvent, { kind: K }>;

type WithoutSeq<E> = E extends unknown ? Omit<E, "seq"> : never;
/** An event before it has got its number in the file. */
export type EventBody = WithoutSeq<CaptureEvent>;
export type BodyOf<K extends EventKind> = Extract<EventBody, { kind: K }>;

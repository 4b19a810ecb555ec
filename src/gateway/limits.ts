const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What the agent may make the gateway hold or keep. Measured against an agent that floods it with requests of 7.5 MiB
 * on 50 connections: the process stays below 430 MiB, most of it text that waits for the garbage collector. 100 answers of
 * 10 MiB at a time take it from 117 to 170 MiB (bench/gateway.ts).
 */
export interface GatewayLimits {
  /** Largest request body. */
  requestBytes: number;
  /** Request bodies held at one time, all connections together. */
  inFlightBytes: number;
  connections: number;
  /** Largest answer, unpacked; a larger one is broken off. */
  answerBytes: number;
  /** Bodies up to this stand in the record itself, larger ones in files of their own. */
  inlineBytes: number;
  /** Largest body kept in a file. */
  bodyBytes: number;
  /** All that is kept of one run: record and bodies. */
  recordBytes: number;
  /** Characters kept of an answer: its text, its reasoning and the arguments of its tool calls together. */
  answerChars: number;
  toolCalls: number;
  /** How long the model may be silent. Below OpenCode's own 300 s, so that the record says who waited for whom. */
  modelSilenceMs: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  requestBytes: 8 * MIB,
  inFlightBytes: 16 * MIB,
  connections: 128,
  answerBytes: 64 * MIB,
  inlineBytes: 64 * KIB,
  bodyBytes: 16 * MIB,
  recordBytes: 512 * MIB,
  answerChars: 256 * KIB,
  toolCalls: 256,
  modelSilenceMs: 240_000,
};

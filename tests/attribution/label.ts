import type { Turn } from "../support/temp-project.ts";

/** What one effect is, as a capture names it. A text that ends in `*` stands for all that begin so. */
export type Named = { file: string } | { contact: string } | { program: string };

/**
 * What is true of one effect. It is written down beside the script, or printed by the command itself: a tool result, which
 * the summary does not look at.
 */
export type Label = Named & {
  /** The agent's own machinery looks at it as well, at its start. */
  alsoAgent?: true;
} & (
    | {
        /** Calls that did it: each of them, and nobody else. */
        by: readonly string[];
        /** Calls that explain it equally well. Without the word of the agent it can only be guessed which one it was. */
        equals?: readonly string[];
      }
    | {
        /** No tool call did it: it must stay unattributed. */
        planted: true;
      }
    | {
        /** The call did one of these, and something else of the same look did the others: one must stay unattributed. */
        twin: string;
      }
  );

/** A find that the summary must make beside its attribution. */
export interface Finding {
  kind: "other-call" | "no-such-call" | "unbacked" | "scrubbed";
  /** Value of MAS_CALL_ID that the conflict is about. */
  mark: string;
}

/** One situation: the steps of the scripted agent, and what is true of them. */
export interface AttributionCase {
  title: string;
  turns: readonly Turn[];
  labels: readonly Label[];
  /** Groups of calls with one and the same command in one answer: their tool results say who did what. */
  equals?: readonly (readonly string[])[];
  findings?: readonly Finding[];
  /** Words of unattributed effects that the planted ones bring along: their shells and what these start. */
  along?: readonly string[];
  /** Child sessions: a text of their prompt, and their steps. */
  children?: readonly { prompt: string; turns: readonly Turn[] }[];
  /** Files of the project. */
  files?: Readonly<Record<string, string>>;
}

/** Several tool calls of one answer. */
export function together(...turns: readonly Turn[]): Turn {
  return { content: "", toolCalls: turns.flatMap((one) => one.toolCalls ?? []) };
}

/** A call of any tool. */
export function call(id: string, name: string, args: Record<string, unknown>): Turn {
  return { content: "", toolCalls: [{ id, name, arguments: args }] };
}

/** A `bash` call. */
export function sh(id: string, command: string, more: Record<string, unknown> = {}): Turn {
  return call(id, "bash", { command, description: "run", ...more });
}

/**
 * A command that makes a file of a name that nobody knows before, and tells which in its result.
 * @param dir directory of the working copy.
 */
export function tellsItsFile(dir: string): string {
  return `mkdir -p ${dir}; f=$(mktemp $PWD/${dir}/one.XXXXXXXX); sleep 0.2; echo x >"$f"; echo "LABEL file $f"`;
}

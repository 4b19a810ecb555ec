import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { flows as flowsSchema } from "../../src/schema/flows.ts";
import { type CaseContext, type RecallCase, times } from "./expect.ts";

/** What the packets of a capture say of names, one line each: `greeted NAME`, `asked NAME TYPE`, `answered NAME CODE DATA…`. */
export type SeenNames = readonly string[];

export function readSeenNames(captureDir: string): SeenNames {
  const file = path.join(captureDir, LAYOUT.flows);
  if (!fs.existsSync(file)) return [];
  const { dns, greetings } = flowsSchema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  return [
    ...greetings.map((one) => `greeted ${one.server_name}`),
    ...dns.map(({ is_answer, questions, rcode, answers = [] }) => {
      const [asked] = questions;
      if (!is_answer) return `asked ${asked?.name} ${asked?.type}`;
      return ["answered", asked?.name, rcode, ...answers.map(({ data }) => data)].join(" ");
    }),
  ];
}

/** Names that one call made, and what the packets have of it: the same lines, in any order. */
export function namesOf(entry: RecallCase, context: CaseContext, seen: SeenNames): { made: string[]; seen: string[] } {
  const ofCall = (line: string): boolean => line.includes(`.${context.tag}.example.test`);
  const made = times(context.n, (i) => entry.names?.(i, context) ?? []);
  return { made: made.toSorted(), seen: entry.names === undefined ? [] : seen.filter(ofCall).toSorted() };
}

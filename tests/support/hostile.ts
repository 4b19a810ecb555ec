import * as fs from "node:fs";
import * as path from "node:path";
import type * as z from "zod";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { containerRecord } from "../../src/schema/container.ts";
import { exchange } from "../../src/schema/exchange.ts";
import { issue } from "../../src/schema/issue.ts";
import { nativeEvent } from "../../src/schema/native-event.ts";
import { completeness, fsDiff, network, processTree } from "../../src/schema/observations.ts";
import { runRecord } from "../../src/schema/run.ts";

/** Each would run `canary`, ask for something or break out of where it stands, if it were ever more than text. */
export const HOSTILE_TEXTS = [
  `</script><script>canary("script")</script>`,
  `<img src=x onerror='canary("img")'>`,
  `"><svg onload=canary("svg")>`,
  `' autofocus onfocus=canary("focus") x='`,
  `javascript:canary("url")`,
  `<a href="javascript:canary('link')">click</a>`,
  `</noscript></template><iframe srcdoc="<script>parent.canary('frame')</script>"></iframe>`,
  `</style><link rel=stylesheet href="http://attacker.invalid/a.css"><img src="http://attacker.invalid/b.png">`,
  `<!--<script>canary("comment")`,
  "{{constructor.constructor('canary(1)')()}} ${canary(2)}",
  "\u202egnp.exe\u2066\u0000\u001b]0;title\u0007\u001b[2J\u200b\ufeff\ud800",
  "__proto__",
  "http://attacker.invalid/beacon",
  "x".repeat(3_000),
] as const;

/** Names that say what a native event is about: with other values the viewer would not look into it at all. */
const STRUCTURE = new Set(["native_event_type", "type", "status", "role", "callID", "sessionID", "messageID", "reply"]);

type Holder = Record<string, unknown> | unknown[];

/** Every place below `value` that holds a string. */
function* stringsIn(value: unknown): Generator<{ holder: Holder; key: string }> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === "string") yield { holder: value as Holder, key };
    else yield* stringsIn(member);
  }
}

function put(holder: Holder, key: string, text: unknown): void {
  (holder as Record<string, unknown>)[key] = text;
}

let turn = 0;

/** Replaces every string that the schema leaves free, each with another of the texts. @returns how many. */
function poison(value: unknown, schema: z.ZodType, keep: ReadonlySet<string>): number {
  let count = 0;
  for (const { holder, key } of [...stringsIn(value)]) {
    if (keep.has(key)) continue;
    const before = (holder as Record<string, unknown>)[key];
    put(holder, key, HOSTILE_TEXTS[turn++ % HOSTILE_TEXTS.length]);
    if (schema.safeParse(value).success) count++;
    else put(holder, key, before);
  }
  return count;
}

/** Times are free text in the schemas; with all of them broken nothing would be in order or measured. */
const TIMES = ["timestamp", "started_at", "finished_at", "first_seen_at", "last_seen_at", "generated_at"];

/**
 * Makes every text in a capture's files hostile. With `keepStructure` what the viewer navigates by stays, so that it shows
 * all of it; without, everything goes.
 * @returns how many texts were replaced, by file.
 */
export function poisonCapture(dir: string, keepStructure: boolean): Record<string, number> {
  const keep = new Set(keepStructure ? [...STRUCTURE, ...TIMES, "file"] : []);
  const counts: Record<string, number> = {};
  const json: [string, z.ZodType][] = [
    [LAYOUT.run, runRecord],
    [LAYOUT.container, containerRecord],
    [LAYOUT.issue, issue],
    [LAYOUT.processTree, processTree],
    [LAYOUT.network, network],
    [LAYOUT.fsDiff, fsDiff],
    [LAYOUT.completeness, completeness],
  ];
  for (const [file, schema] of json) {
    const value: unknown = JSON.parse(fs.readFileSync(path.join(dir, file), "utf8"));
    counts[file] = poison(value, schema, keep);
    fs.writeFileSync(path.join(dir, file), JSON.stringify(value));
  }
  for (const [file, schema] of [
    [LAYOUT.nativeEvents, nativeEvent],
    [LAYOUT.exchanges, exchange],
  ] as const) {
    const values = fs
      .readFileSync(path.join(dir, file), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
    counts[file] = values.reduce<number>((sum, value) => sum + poison(value, schema, keep), 0);
    fs.writeFileSync(path.join(dir, file), values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  }
  for (const log of fs.readdirSync(path.join(dir, "logs"))) {
    fs.writeFileSync(path.join(dir, "logs", log), HOSTILE_TEXTS.join("\n"));
    counts[`logs/${log}`] = HOSTILE_TEXTS.length;
  }
  return counts;
}

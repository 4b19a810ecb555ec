import type { GroundTruth } from "../../src/schema/ground-truth.ts";
import type { Summary } from "../../src/schema/summary.ts";

type Effects = NonNullable<Summary["tools"][number]["effects"]>;

export interface AttributionScore {
  /** Effects that the truth ties to calls, and that were looked for. */
  expected: number;
  /** One sentence for each that is not among the effects of one of its calls. */
  missing: string[];
}

/** Compares what the truth says of each call with the effects that the capture ties to it. Lists that were cut are not asked. */
export function scoreAttribution(truth: GroundTruth, summary: Summary): AttributionScore {
  const effects = new Map(summary.tools.map((use) => [use.call_id, use.effects]));
  const of = (by: readonly string[]): Effects[] => by.flatMap((id) => effects.get(id) ?? []);
  const score: AttributionScore = { expected: 0, missing: [] };
  const expect = (what: string, by: readonly string[], found: (one: Effects) => boolean): void => {
    score.expected++;
    if (!of(by).some(found)) score.missing.push(`${what} is not among the effects of ${by.join(", ")}`);
  };
  for (const { programs, by } of truth.runs) {
    for (const name of programs) {
      expect(
        name,
        by,
        (one) => one.commands_total > one.commands.length || one.commands.some((text) => runs(text, name)),
      );
    }
  }
  for (const { path, kind, by } of truth.changes) {
    if (kind === "refused") continue;
    const absolute = path.startsWith("/") ? path : `/workspace/${path}`;
    expect(
      path,
      by,
      (one) => one.files_total > one.files.length || one.files.some((file) => isOrIsBelow(absolute, file)),
    );
  }
  for (const { host, by } of truth.contacts) {
    const fits = (remote: string): boolean => remote.toLowerCase().includes(host.toLowerCase());
    const tried = (one: Effects): boolean => one.contacts.some(({ remote }) => fits(remote) || remote.endsWith(":53"));
    expect(host, by, (one) => one.contacts_total > one.contacts.length || tried(one));
  }
  return score;
}

/** The program itself, or the script that its interpreter was given. */
function runs(command: string, name: string): boolean {
  const [program = "", ...rest] = command.replaceAll('"', "").split(" ");
  return [program, ...rest].some((word) => word.split("/").at(-1) === name);
}

/** A directory that was renamed or removed as a whole takes its files with it. */
function isOrIsBelow(path: string, file: Effects["files"][number]): boolean {
  if (file.operations.every((one) => one === "read")) return false;
  return path === file.path || path.startsWith(`${file.path}/`);
}

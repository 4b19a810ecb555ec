import * as z from "zod";
import type { ReadProblem } from "./reader-json.ts";

/** Most faults of one file that are described one by one; the rest is only counted. */
const MAX_DESCRIBED = 5;

/** Most entries of one list that are taken into memory. */
const MAX_ENTRIES = 200_000;

/** Collects what is wrong with one file, bounded. */
export class FaultList {
  readonly #file: string;
  readonly #described: string[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  add(message: string): void {
    this.#count++;
    if (this.#described.length < MAX_DESCRIBED) this.#described.push(message);
  }

  problems(): ReadProblem[] {
    if (this.#count === 0) return [];
    const more = this.#count > this.#described.length ? `; ${this.#count - this.#described.length} more` : "";
    const message = `${this.#file}: ${this.#described.join("; ")}${more}`;
    return [{ file: this.#file, code: "invalid-shape", message }];
  }
}

export type PlainObject = Record<string, unknown>;

export function isObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid";
  const where = issue.path.map(String).join(".");
  return where === "" ? issue.message : `${where}: ${issue.message}`;
}

/** The entries of a list that are as they should be; the others are named in `faults` and left out. */
export function lenientArray<S extends z.ZodType>(
  element: S,
  value: unknown,
  name: string,
  faults: FaultList,
): z.output<S>[] {
  if (!Array.isArray(value)) {
    if (value !== undefined && value !== null) faults.add(`${name} is not a list`);
    return [];
  }
  if (value.length > MAX_ENTRIES) faults.add(`${name} has ${value.length} entries; ${MAX_ENTRIES} are read`);
  const good: z.output<S>[] = [];
  for (const [index, entry] of value.slice(0, MAX_ENTRIES).entries()) {
    const parsed = element.safeParse(entry);
    if (parsed.success) good.push(parsed.data);
    else faults.add(`${name}[${index}] ${firstIssue(parsed.error)}`);
  }
  return good;
}

/** One value as its schema wants it, else `null` and a fault. A missing value or `null` is no fault. */
function lenientValue<S extends z.ZodType>(
  schema: S,
  value: unknown,
  name: string,
  faults: FaultList,
): z.output<S> | null {
  if (value === undefined || value === null) return null;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  faults.add(`${name} ${firstIssue(parsed.error)}`);
  return null;
}

type Nulled<S extends z.ZodRawShape> = { [K in keyof S]: z.output<S[K]> | null };

/** Every key of `shape`, each as its schema wants it, else `null` and a fault. */
export function lenientObject<S extends z.ZodRawShape>(shape: S, value: PlainObject, faults: FaultList): Nulled<S> {
  const entries = Object.entries(shape).map(([key, schema]) => {
    const own = Object.hasOwn(value, key) ? value[key] : undefined;
    return [key, lenientValue(schema as z.ZodType, own, key, faults)];
  });
  // Object.fromEntries forgets which keys it got; they are those of `shape`.
  return Object.fromEntries(entries) as Nulled<S>;
}

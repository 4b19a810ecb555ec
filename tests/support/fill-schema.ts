import type * as z from "zod";

/** Texts that leaves with a form of their own take (hashes, ids, base64), tried when the wanted one is refused. */
const FORMS = ["a".repeat(64), "ses_a1", "2026-11-22T00:00:00.000Z", "aGVsbG8=", "0644", "a", ""];

export interface Filled {
  value: unknown;
  /** Where the wanted text stands, as `a.b[].c`. */
  places: Set<string>;
  /** Places of strings that take only a text of a form of their own, which is never hostile. */
  formed: Set<string>;
}

/**
 * Makes a value of `schema` in which nothing is left out: every optional member is there, every list has an entry, every
 * map a key, and every free string is `text`, every free map key too. Of a union `turn` chooses the alternative.
 */
export function fillSchema(schema: z.ZodType, text: string, turn = 0): Filled {
  const filler = new Filler(text, turn);
  const value = filler.fill(schema, "");
  const checked = schema.safeParse(value);
  if (!checked.success) throw new Error(`the filled value does not fit its schema: ${checked.error.message}`);
  return { value, places: filler.places, formed: filler.formed };
}

/** The parts of a schema's definition that matter here; zod keeps them untyped. */
interface Definition {
  type: string;
  shape?: Record<string, z.ZodType>;
  element?: z.ZodType;
  innerType?: z.ZodType;
  valueType?: z.ZodType;
  options?: readonly z.ZodType[];
  items?: readonly z.ZodType[];
  entries?: Record<string, unknown>;
  values?: readonly unknown[];
  in?: z.ZodType;
  getter?: () => z.ZodType;
}

class Filler {
  readonly places = new Set<string>();
  readonly formed = new Set<string>();
  readonly #text: string;
  readonly #turn: number;

  constructor(text: string, turn: number) {
    this.#text = text;
    this.#turn = turn;
  }

  fill(schema: z.ZodType, place: string): unknown {
    const definition = schema.def as unknown as Definition;
    const inner = definition.innerType ?? definition.in ?? definition.getter?.();
    if (inner !== undefined) return this.fill(inner, place);
    const scalar = this.#scalar(schema, definition, place);
    if (scalar !== undefined) return scalar.value;
    return this.#composite(definition, place);
  }

  #scalar(schema: z.ZodType, definition: Definition, place: string): { value: unknown } | undefined {
    const { type, entries = {}, values = [], options } = definition;
    if (type === "string") return { value: this.#string(schema, place) };
    if (type === "number" || type === "int") return { value: 1 };
    if (type === "boolean") return { value: true };
    if (type === "null") return { value: null };
    if (type === "enum") return { value: pick(Object.values(entries), this.#turn) };
    if (type === "literal") return { value: pick(values, this.#turn) };
    if (type === "union") return { value: this.fill(pick(options ?? [], this.#turn), place) };
    return undefined;
  }

  #composite({ type, shape = {}, element, valueType, items = [] }: Definition, place: string): unknown {
    const below = (name: string): string => (place === "" ? name : `${place}.${name}`);
    if (type === "object")
      return Object.fromEntries(Object.entries(shape).map(([key, member]) => [key, this.fill(member, below(key))]));
    if (type === "array" && element !== undefined) return [this.fill(element, `${place}[]`)];
    if (type === "tuple") return items.map((item, index) => this.fill(item, `${place}[${index}]`));
    if (type === "record" && valueType !== undefined) {
      this.places.add(below("(key)"));
      return { [this.#text]: this.fill(valueType, below("(value)")) };
    }
    if (type === "unknown" || type === "any") {
      this.places.add(place);
      return { [this.#text]: [this.#text, { type: this.#text, properties: { info: { id: this.#text } } }] };
    }
    throw new Error(`${place}: no rule for the schema type ${type}`);
  }

  #string(schema: z.ZodType, place: string): string {
    if (schema.safeParse(this.#text).success) {
      this.places.add(place);
      return this.#text;
    }
    // A limit on the length alone still takes a part of it.
    const short = this.#text.slice(0, 8);
    if (schema.safeParse(short).success) {
      this.places.add(place);
      return short;
    }
    this.formed.add(place);
    const form = FORMS.find((candidate) => schema.safeParse(candidate).success);
    if (form === undefined) throw new Error(`${place}: no text fits`);
    return form;
  }
}

function pick<T>(values: readonly T[], turn: number): T {
  const value = values[turn % values.length];
  if (value === undefined) throw new Error("nothing to choose from");
  return value;
}

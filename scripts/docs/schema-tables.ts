import type { DescribedFile } from "../../src/schema/files.ts";

/** The part of JSON Schema that zod writes. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  title?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

const KIND_WORDS: Record<DescribedFile["kind"], string> = {
  evidence: "seen from outside",
  claim: "the agent's claim",
  derived: "can be made again",
};

/** The list of all described files. */
export function fileTable(files: readonly DescribedFile[]): string {
  const rows = files.map(
    (file) =>
      `| [\`${file.path}\`](#${anchor(file.path)}) | ${KIND_WORDS[file.kind]} | ${cell(file.about)} | [schema](schemas/${file.schemaName}.schema.json) |`,
  );
  return ["| file | whose word | what it holds | |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The address that Markdown viewers give to a heading that is this path in backticks. */
function anchor(filePath: string): string {
  return filePath.toLowerCase().replace(/[^a-z0-9_-]/g, "");
}

/**
 * One row a key, keys of nested objects behind their parent's with a dot, of list entries with `[]`. Keys in `asIn` are
 * described elsewhere: they get a link in the place of their members.
 */
export function keyTable(schema: JsonSchema, asIn: Readonly<Record<string, string>> = {}): string {
  return ["| key | type | meaning |", "| --- | --- | --- |", ...rowsOf(schema, "", asIn)].join("\n");
}

type Elsewhere = Readonly<Record<string, string>>;

function rowsOf(schema: JsonSchema, prefix: string, asIn: Elsewhere): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const key = `${prefix}${name}`;
    const optional = schema.required?.includes(name) === true ? "" : ", optional";
    const about = member.description ?? inner(member).description ?? "";
    const file = asIn[key];
    const link =
      file === undefined ? "" : ` As in [\`${file}\`](#${anchor(file)}), with \`null\` for what is not known.`;
    const row = `| \`${key}\` | ${cell(typeOf(member))}${optional} | ${cell(`${about}${link}`.trim())} |`;
    const nested = file === undefined ? nestedRows(member, key, asIn) : [];
    // A name that only holds others says nothing by itself.
    return about === "" && nested.length > 0 ? nested : [row, ...nested];
  });
}

function nestedRows(member: JsonSchema, key: string, asIn: Elsewhere): string[] {
  const value = inner(member);
  if (value.properties !== undefined) return rowsOf(value, `${key}.`, asIn);
  if (value.items !== undefined) return nestedRows(value.items, `${key}[]`, asIn);
  if (typeof value.additionalProperties === "object") return nestedRows(value.additionalProperties, `${key}.*`, asIn);
  return [];
}

/** The schema itself, or the one that is not null of a schema that may be null. */
function inner(schema: JsonSchema): JsonSchema {
  const others = schema.anyOf?.filter((one) => one.type !== "null") ?? [];
  const [only] = others;
  return others.length === 1 && only !== undefined ? only : schema;
}

function typeOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (typeof schema.additionalProperties === "object" && schema.properties === undefined) {
    return `object of ${typeOf(schema.additionalProperties)}`;
  }
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type;
  return type ?? "any";
}

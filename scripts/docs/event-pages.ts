import { type JsonSchema, keyTable } from "./schema-tables.ts";

/** Where the page of a kind stands. */
export const EVENT_PAGES = "docs/events";

function kindOf(schema: JsonSchema): string {
  const { kind } = schema.properties ?? {};
  if (typeof kind?.const !== "string") throw new Error("an event has no kind");
  return kind.const;
}

function kindsOf(event: JsonSchema): JsonSchema[] {
  if (event.oneOf === undefined) throw new Error("the schema of an event is no union");
  return event.oneOf;
}

/** The list of all kinds, with a link to the page of each. `pages`: the way there from the document. */
export function kindTable(event: JsonSchema, pages: string): string {
  const rows = kindsOf(event).map((schema) => {
    const kind = kindOf(schema);
    return `| [\`${kind}\`](${pages}/${kind}.md) | ${schema.description ?? ""} |`;
  });
  return ["| kind | what it says |", "| --- | --- |", ...rows].join("\n");
}

/** The pages below docs/events/, by path: one a kind, made of the schema alone. */
export function eventPages(event: JsonSchema): Map<string, string> {
  return new Map(
    kindsOf(event).map((schema) => {
      const kind = kindOf(schema);
      const parts = [
        `# \`${kind}\``,
        schema.description ?? "",
        "A line of `observations/events.jsonl` ([capture format](../capture-format.md#observationseventsjsonl)). This page is generated from the schema.",
        keyTable(schema),
      ];
      return [`${EVENT_PAGES}/${kind}.md`, `${parts.join("\n\n")}\n`];
    }),
  );
}

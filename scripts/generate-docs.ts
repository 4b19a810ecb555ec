/**
 * Makes docs/schemas/*.schema.json, docs/events/*.md and the tables of docs/capture-format.md from the schemas in src/schema.
 * Run with --check it changes nothing and ends with 1 when a document is not what it would write.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { AUTHORED_FILES } from "../src/schema/authored-files.ts";
import { captureEvent } from "../src/schema/event.ts";
import { DESCRIBED_FILES, type DescribedFile } from "../src/schema/files.ts";
import { EVENT_PAGES, eventPages, kindTable } from "./docs/event-pages.ts";
import { fileTable, type JsonSchema, keyTable } from "./docs/schema-tables.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const DOCUMENT = "docs/capture-format.md";
const SCHEMAS = "docs/schemas";

/** What the summary takes over from other files. */
const IN_SUMMARY = {
  run: "meta/run.json",
  completeness: "observations/completeness.json",
  "observations.process": "observations/process_tree.json",
  "observations.filesystem": "observations/fs_diff.json",
  "observations.network": "observations/network.json",
};

function jsonSchema(file: DescribedFile): JsonSchema {
  const schema = z.toJSONSchema(file.schema, { io: "output", unrepresentable: "any" }) as JsonSchema;
  return { ...schema, title: file.path, description: file.about };
}

/** The hand-written document with each generated part put between its marks. */
function fillMarks(text: string, parts: ReadonlyMap<string, string>): string {
  const used = new Set<string>();
  const filled = text.replace(
    /(<!-- generated: (\S+) -->\n)[^]*?(<!-- end -->)/g,
    (_whole, start: string, name: string, end: string) => {
      const part = parts.get(name);
      if (part === undefined) throw new Error(`${DOCUMENT} asks for '${name}', which does not exist`);
      used.add(name);
      return `${start}\n${part}\n\n${end}`;
    },
  );
  for (const name of parts.keys()) if (!used.has(name)) throw new Error(`${DOCUMENT} has no place for '${name}'`);
  return filled;
}

function generated(): Map<string, string> {
  const files = new Map<string, string>();
  const parts = new Map([["files", fileTable(DESCRIBED_FILES)]]);
  for (const file of DESCRIBED_FILES) {
    const schema = jsonSchema(file);
    files.set(`${SCHEMAS}/${file.schemaName}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
    if (file.schema === captureEvent) {
      parts.set(file.schemaName, kindTable(schema, path.relative(path.dirname(DOCUMENT), EVENT_PAGES)));
      for (const [page, content] of eventPages(schema)) files.set(page, content);
      continue;
    }
    parts.set(file.schemaName, keyTable(schema, file.schemaName === "summary" ? IN_SUMMARY : {}));
  }
  for (const { schemaName, path: title, schema, about } of AUTHORED_FILES) {
    const made = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    files.set(
      `${SCHEMAS}/${schemaName}.schema.json`,
      `${JSON.stringify({ ...made, title, description: about }, null, 2)}\n`,
    );
  }
  files.set(DOCUMENT, fillMarks(fs.readFileSync(path.join(ROOT, DOCUMENT), "utf8"), parts));
  return files;
}

function read(file: string): string | undefined {
  return fs.existsSync(path.join(ROOT, file)) ? fs.readFileSync(path.join(ROOT, file), "utf8") : undefined;
}

function namesIn(dir: string): string[] {
  const full = path.join(ROOT, dir);
  return fs.existsSync(full) ? fs.readdirSync(full).map((name) => `${dir}/${name}`) : [];
}

const files = generated();
const stale = [...files].filter(([file, content]) => read(file) !== content).map(([file]) => file);
const extra = [SCHEMAS, EVENT_PAGES].flatMap((dir) => namesIn(dir)).filter((file) => !files.has(file));

if (process.argv.includes("--check")) {
  for (const file of [...stale, ...extra]) console.error(`${file} is not what the schemas say; run: npm run docs`);
  process.exitCode = stale.length + extra.length === 0 ? 0 : 1;
} else {
  for (const dir of [SCHEMAS, EVENT_PAGES]) fs.mkdirSync(path.join(ROOT, dir), { recursive: true });
  for (const [file, content] of files) fs.writeFileSync(path.join(ROOT, file), content);
  for (const file of extra) fs.rmSync(path.join(ROOT, file));
  console.log(`${files.size} documents, ${stale.length} of them changed`);
}

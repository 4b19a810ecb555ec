import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { CaptureError } from "./errors.ts";
import { readJsonFile, schemaProblems } from "./json-file.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "json-file-"));
afterAll(() => fs.rmSync(dir, { recursive: true }));
const options = { code: "issues-invalid", what: "the list", maxBytes: 100, hint: "mend it" } as const;

function messageOf(content: string | Uint8Array | undefined): string {
  const file = path.join(dir, "x.json");
  fs.rmSync(file, { force: true, recursive: true });
  if (content !== undefined) fs.writeFileSync(file, content);
  try {
    readJsonFile(file, options);
  } catch (error) {
    if (error instanceof CaptureError && error.code === "issues-invalid" && error.hint === "mend it")
      return error.message;
    throw error;
  }
  throw new Error("was read");
}

describe("readJsonFile", () => {
  it("says what is wrong with the file, and where", () => {
    expect(messageOf(undefined)).toMatch(/^cannot read the list .*x\.json: there is no such file$/);
    expect(messageOf('{\n "a": 1,\n}')).toMatch(/line 3, column 1: expected key, found "}"/);
    expect(messageOf("x".repeat(101))).toMatch(/101 bytes, more than the 100 allowed/);
    expect(messageOf(Uint8Array.of(0x22, 0xff, 0x22))).toMatch(/not UTF-8/);
    expect(() => readJsonFile(dir, options)).toThrow(/not a regular file/);
  });

  it("takes a byte order mark", () => {
    fs.writeFileSync(path.join(dir, "bom.json"), "\ufeff[1]");
    expect(readJsonFile(path.join(dir, "bom.json"), options).value).toEqual([1]);
  });
});

describe("schemaProblems", () => {
  const schema = z.object({
    list: z.array(z.union([z.string(), z.strictObject({ source: z.string(), to: z.union([z.string(), z.number()]) })])),
  });

  it("lets the alternative speak that was meant", () => {
    const wrong = schema.safeParse({ list: ["fine", { source: "a", to: "b", typo: 1 }, { source: 1, to: "b" }, 7] });
    expect(wrong.success).toBe(false);
    if (wrong.success) return;
    expect(schemaProblems(wrong.error)).toEqual([
      { path: "list[1]", message: 'Unrecognized key: "typo"' },
      { path: "list[2].source", message: "Invalid input: expected string, received number" },
      { path: "list[3]", message: expect.stringContaining("expected string") },
    ]);
  });
});

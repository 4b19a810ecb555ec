import * as fs from "node:fs";
import * as path from "node:path";
import { expect, it } from "vitest";
import { formatSize } from "../core/sizes.ts";
import { captureBoundBytes, LIMIT_ENTRIES, LIMIT_NAMES, runLimits } from "./run-limits.ts";

const OPERATIONS = path.join(import.meta.dirname, "../../docs/operations.md");

it("are in the documents as they are in the code", () => {
  const rows = LIMIT_NAMES.map((name) => {
    const { defaultBytes, what, told } = LIMIT_ENTRIES[name];
    return `| \`${name}\` | ${formatSize(defaultBytes)} | ${what} | ${told} |`;
  });
  const text = fs.readFileSync(OPERATIONS, "utf8");
  expect(text).toContain(`${rows.join("\n")}\n\n`);
  expect(text).toContain(`at most ${formatSize(captureBoundBytes(runLimits()))}`);
});

it("keep their defaults where nothing is given", () => {
  expect(runLimits({ agent_stdout: 5 })).toEqual({ ...runLimits(), agent_stdout: 5 });
});

import { expect, it } from "vitest";
import type { FileVersion } from "../../schema/file-contents.ts";
import { type WitnessBooks, witnessStatement } from "./statements.ts";

const BOOKS: WitnessBooks = {
  from: "2026-01-01T00:00:00.000Z",
  to: "2026-01-01T00:00:10.000Z",
  versions: [],
  received: 5,
  closes: 5,
  unreadable: 0,
  overflows: 0,
  unlisted: 0,
  death: undefined,
  unproven: 0,
  failures: [],
};

const version = (changes: Partial<FileVersion>): FileVersion => ({
  path: "/workspace/x",
  time: BOOKS.from,
  pid: 1,
  size_bytes: 1,
  sha256: "0".repeat(64),
  at_end: "gone",
  content: "observations/contents/x",
  closes: 1,
  ...changes,
});

const judge = (changes: Partial<WitnessBooks>): string => {
  const { level, lost } = witnessStatement({ ...BOOKS, ...changes });
  return `${level} ${lost}`;
};

it("is complete where the last content of everything that is gone is kept, whatever became of what was overwritten", () => {
  expect(judge({})).toBe("complete 0");
  expect(judge({ versions: [version({})] })).toBe("complete 0");
  const overwritten = version({ at_end: "replaced", content: null, content_omitted: "no-room" });
  expect(judge({ versions: [version({}), overwritten] })).toBe("complete 0");
  expect(witnessStatement({ ...BOOKS, versions: [overwritten] }).reason).toContain(
    "1 contents that were overwritten later",
  );
});

it("counts what is missing, and knows where it can't", () => {
  const missing = version({ content: null, content_omitted: "too-large" });
  expect(judge({ versions: [missing, missing] })).toBe("lossy 2");
  expect(judge({ versions: [version({ unstable: true })] })).toBe("lossy 1");
  expect(judge({ received: 3 })).toBe("lossy 2");
  expect(judge({ unreadable: 4 })).toBe("lossy 4");
  expect(judge({ unlisted: 7, versions: [missing] })).toBe("lossy 8");
  expect(judge({ overflows: 1, unreadable: 4 })).toBe("lossy null");
  expect(judge({ unproven: 1 })).toBe("lossy null");
  expect(judge({ failures: ["the disk is full"] })).toBe("lossy null");
  expect(judge({ closes: null })).toBe("sampled null");
  expect(judge({ closes: null, death: "signal SIGKILL" })).toBe("sampled null");
});

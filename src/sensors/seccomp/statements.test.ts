import { expect, test } from "vitest";
import { type ListenerBooks, listenerStatements } from "./statements.ts";

const NONE = { process: 0, file: 0, network: 0, security: 0, sensor: 0 };
const BOOKS: ListenerBooks = {
  from: "2026-01-01T00:00:00.000Z",
  to: "2026-01-01T00:01:00.000Z",
  end: { k: "end", t: 1, calls: 10, lines: 10, dropped: 0, blind: 0 },
  received: 10,
  faults: 0,
  replaced: 0,
  file: { written: 10, dropped: NONE, bytes: 1, failure: undefined },
  unseenConnects: 0,
  lookEveryMs: 100,
};

const levels = (books: Partial<ListenerBooks>) =>
  Object.fromEntries(listenerStatements({ ...BOOKS, ...books }).map((one) => [one.class, one.level]));

test("nothing is ever complete, and what is not seen is said", () => {
  expect(levels({})).toEqual({
    process: "sampled",
    network: "lossy",
    dns: "absent",
    "file-workspace": "lossy",
    "file-outside": "lossy",
  });
  for (const { reason } of listenerStatements(BOOKS)) expect(reason).toMatch(/not seen|without its result/);
});

test("a listener that ended too early leaves nothing better than sampled", () => {
  expect(new Set(Object.values(levels({ end: undefined })))).toEqual(new Set(["sampled", "absent"]));
});

test("every call that was lost on its way stands in the reason", () => {
  const end = { ...BOOKS.end, k: "end", t: 1, calls: 10, lines: 12, dropped: 3, blind: 1 } as const;
  const [first] = listenerStatements({
    ...BOOKS,
    end,
    faults: 4,
    replaced: 5,
    file: { ...BOOKS.file, failure: "full" },
  });
  expect(first?.reason).toContain("5 times the listener had to be replaced");
  for (const part of [
    "4 lines could not",
    "1 calls were let go",
    "3 calls found no room",
    "2 lines did not arrive",
    "full",
  ])
    expect(first?.reason).toContain(part);
});

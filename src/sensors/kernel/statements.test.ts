import { describe, expect, it } from "vitest";
import type { CountersRecord, RecordClass } from "./record.ts";
import { StartAccount } from "./start-account.ts";
import { type Books, statementsOf } from "./statements.ts";
import { exec, head, inet, pathCall, socketCall } from "./test-records.ts";

const PER_CLASS = { process: 0, file: 0, network: 0, security: 0 };

function counters(more: Partial<Record<RecordClass, number>>, rest: Partial<CountersRecord> = {}): CountersRecord {
  return {
    kind: "counters",
    timeNs: 9e9,
    emitted: { ...PER_CLASS, ...more },
    lost: PER_CLASS,
    untracked: 0,
    pathsTruncated: 0,
    final: true,
    ...rest,
  };
}

/** A start that saw an exec, two unlinks and a connect, canaries around them; records whose number is in `skip` never came. */
function account(last: CountersRecord | undefined, skip: readonly number[] = []): StartAccount {
  const start = new StartAccount(1e9);
  const records = [
    { kind: "canary", ...head(), at: "start" } as const,
    exec(["a"]),
    pathCall("unlink", "a"),
    pathCall("unlink", "b"),
    socketCall("connect", inet("127.0.0.1", 1), 0),
    { kind: "canary", ...head(), at: "end" } as const,
  ];
  for (const [seq, record] of records.entries()) if (!skip.includes(seq)) start.add({ ...record, seq });
  if (last !== undefined) start.add(last);
  return start;
}

const ALL = { process: 3, file: 2, network: 1 };

function statements(starts: readonly StartAccount[], more: Partial<Books> = {}) {
  const books: Books = {
    from: "a",
    to: "b",
    starts,
    absences: [],
    refused: [],
    file: { written: 4, dropped: { ...PER_CLASS, sensor: 0 }, bytes: 9, failure: undefined },
    hidden: { ringOperations: 0, compatCalls: 0 },
    hiddenDns: 0,
    encryptedWeb: 0,
    malformedDns: 0,
    unseenConnects: 0,
    ...more,
  };
  return statementsOf(books);
}

function judge(starts: readonly StartAccount[], more: Partial<Books> = {}) {
  const entries = statements(starts, more).map((one) => [one.class, `${one.level} ${one.lost}`] as const);
  return Object.fromEntries(entries);
}

const COMPLETE = {
  process: "complete 0",
  network: "complete 0",
  dns: "complete 0",
  "file-workspace": "complete 0",
  "file-outside": "complete 0",
};
const everywhere = (text: string) => Object.fromEntries(Object.keys(COMPLETE).map((name) => [name, text]));

describe("the statement on a class", () => {
  it("is complete when counters, numbers and canaries agree", () => {
    expect(judge([account(counters(ALL))])).toEqual(COMPLETE);
  });

  it("counts what found no room, in its class alone", () => {
    const lost = counters({ ...ALL, file: 5 }, { lost: { ...PER_CLASS, file: 3 } });
    expect(judge([account(lost)])).toEqual({ ...COMPLETE, "file-workspace": "lossy 3", "file-outside": "lossy 3" });
  });

  it("counts what went astray behind the ring", () => {
    expect(judge([account(counters(ALL), [2])])).toEqual({
      ...COMPLETE,
      "file-workspace": "lossy 1",
      "file-outside": "lossy 1",
    });
  });

  it("does not trust counters that contradict the numbers", () => {
    expect(judge([account(counters({ ...ALL, file: 1 }), [2])])).toEqual(everywhere("lossy 1"));
  });

  it("is not complete without the last counters, or a canary", () => {
    expect(judge([account(undefined)])).toEqual(everywhere("sampled null"));
    expect(judge([account(counters(ALL, { final: false }))])).toEqual(everywhere("sampled null"));
    expect(judge([account(counters({ ...ALL, process: 2 }), [5])])).toEqual(everywhere("sampled null"));
    expect(judge([])).toEqual(everywhere("sampled null"));
  });

  it("is not complete when the sensor was away", () => {
    const absences = [{ from: "x", to: "y", reason: "killed" }];
    expect(judge([account(undefined, [5]), account(counters(ALL))], { absences })).toEqual(everywhere("sampled null"));
  });

  it("counts what the file had no room for, and what could not be read", () => {
    const dropped = { ...PER_CLASS, network: 4, sensor: 0 };
    const file = { written: 4, dropped, bytes: 9, failure: undefined };
    expect(judge([account(counters(ALL))], { file })).toEqual({ ...COMPLETE, network: "lossy 4", dns: "lossy 4" });
    const faulty = account(counters(ALL));
    faulty.faults = 2;
    expect(judge([faulty])).toEqual(everywhere("lossy 2"));
    expect(judge([account(counters(ALL, { missedRuns: 6 }))])).toEqual(everywhere("lossy 6"));
  });

  it("says of names that those in encrypted traffic are not in it, without being worse for it", () => {
    const start = () => [account(counters(ALL))];
    const reasons = (more: Partial<Books>) =>
      statements(start(), more).filter(({ reason }) => reason.includes("3 connects or datagrams went to port 443"));
    expect(reasons({ encryptedWeb: 3 })).toMatchObject([{ class: "dns", level: "complete" }]);
    expect(reasons({ encryptedWeb: 3, hiddenDns: 1 })).toMatchObject([{ class: "dns", level: "lossy" }]);
    expect(reasons({})).toEqual([]);
  });

  it("names what can't be seen in principle", () => {
    const start = () => [account(counters(ALL))];
    expect(judge(start(), { refused: ["tcp"] })).toEqual(everywhere("lossy null"));
    expect(judge([account(counters(ALL, { untracked: 1 }))])).toEqual(everywhere("lossy null"));
    expect(judge(start(), { hidden: { ringOperations: 3, compatCalls: 0 } })).toEqual({
      ...everywhere("lossy null"),
      process: "complete 0",
    });
    expect(judge(start(), { hidden: { ringOperations: 0, compatCalls: 1 } })).toEqual(everywhere("lossy null"));
    expect(judge(start(), { hiddenDns: 1 })).toEqual({ ...COMPLETE, dns: "lossy null" });
    expect(judge(start(), { malformedDns: 1 })).toEqual({ ...COMPLETE, dns: "lossy null" });
    expect(judge(start(), { unseenConnects: 2 })).toEqual({ ...COMPLETE, network: "lossy 2" });
  });
});

it("keeps when and in which class records were lost", () => {
  const start = account(counters(ALL, { timeNs: 2e9, final: false, lost: { ...PER_CLASS, file: 3 } }));
  start.add(counters(ALL, { timeNs: 3e9, lost: { ...PER_CLASS, file: 5, process: 1 } }));
  expect(start.losses).toEqual([
    { class: "file", lost: 3, fromNs: 1e9, toNs: 2e9 },
    { class: "process", lost: 1, fromNs: 2e9, toNs: 3e9 },
    { class: "file", lost: 2, fromNs: 2e9, toNs: 3e9 },
  ]);
});

import { FILE_CASES } from "./cases-file.ts";
import { NETWORK_CASES } from "./cases-network.ts";
import { PROCESS_CASES } from "./cases-process.ts";
import type { RecallCase } from "./expect.ts";
import { fact } from "./fact.ts";

/** Cases 64–72: floods, attacks on the recorder, ends of containers. */
const OTHER_CASES: readonly RecallCase[] = [
  { number: 64, title: "a flood of events", ownRun: "a flood" },
  { number: 65, title: "a flood of output", ownRun: "a flood of output" },
  {
    number: 66,
    title: "attacks on the recorder",
    program: "recorder",
    each: (i, { tag }) => [
      fact("process.reach", { call: "kill", errno: "ESRCH" }),
      fact("file.unlink", { path: "/capture/opencode_events.fifo", errno: "EROFS" }),
      fact("file.symlink", { path: `/capture/fake-${tag}-${i}`, link_text: "nothing", errno: "EROFS" }),
    ],
  },
  {
    number: 66,
    title: "bpf and perf, refused",
    program: "kernel",
    each: () =>
      ["bpf", "perf"].map((name) => fact("blind-spot", { interface: name, stage: "attempt", errno: "EPERM" })),
  },
  { number: 67, title: "a container that is gone at once", ownRun: "an agent that ends at once" },
  { number: 68, title: "killed for time, killed for memory", ownRun: "a run that is killed" },
  { number: 69, title: "a program that is put into the container from outside", ownRun: "exec from outside" },
  // That the order of the events stays right is judged in every run.
  { number: 70, title: "the clock is set, refused", program: "clock", each: () => [] },
  { number: 71, title: "two containers at the same time", ownRun: "two runs side by side" },
  { number: 72, title: "events carry the tool call", ownRun: "judged in the runs of all others" },
];

/**
 * The 72 cases: what is done, and what a capture must say of it. A case that the sandbox refuses must be seen as an attempt.
 * `pending`: what can't be shown yet. `mayStayUnseen`: what no observer from outside can see.
 */
export const CASES: readonly RecallCase[] = [...PROCESS_CASES, ...FILE_CASES, ...NETWORK_CASES, ...OTHER_CASES];

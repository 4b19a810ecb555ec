import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { LABEL } from "../../src/sandbox/container-spec.ts";
import type { RunRecord } from "../../src/schema/run.ts";
import { capturesIn } from "../support/captures.ts";
import { captureDirOf, startCli } from "../support/cli.ts";
import { bash, type TempProject, tempProject } from "../support/temp-project.ts";
import { CASES } from "./cases.ts";
import { made, named, type RecallCase } from "./expect.ts";
import { judgeCase, reportedLoss, shown } from "./judge.ts";
import { hasOwnPidMax, lowerPidMax, opensOf, readDescriptors, touchInTmp } from "./large-runs.ts";
import { captureRun, PODMAN, RUN_OPTIONS, readRecallCapture } from "./run-recall.ts";
import { recallProject } from "./workload.ts";

const RUN_MS = 1_800_000;

/** Id of the project's only run, once it has a capture. */
async function runId(project: TempProject): Promise<string> {
  const record = (): string | undefined => {
    const [name] = capturesIn(project.captureRoot).filter((entry) => entry.endsWith("-probe"));
    const file = path.join(project.captureRoot, name ?? "", LAYOUT.run);
    return name !== undefined && fs.existsSync(file) ? file : undefined;
  };
  await expect.poll(record, { timeout: 600_000 }).toBeDefined();
  return (JSON.parse(fs.readFileSync(record() ?? "", "utf8")) as RunRecord).run_id;
}

const MANY_CLOSES = 3000;

const LARGE: RecallCase[] = [
  {
    number: 40,
    title: "1 GiB",
    program: "large-file",
    atMost: 1,
    each: (i, context) => made(named(context, "large", i), 2 ** 30),
  },
  { number: 40, title: "small files", program: "tiny-file", each: (i, context) => made(named(context, "tiny", i), 2) },
];

/** Id of the run's container while it runs. */
function runsIn(id: string): string {
  const args = ["ps", "--quiet", "--filter", `label=${LABEL.run}=${id}`];
  return execFileSync("podman", args, { encoding: "utf8" }).trim();
}

/** Connects and sends in a container's network namespace, from a process that is not in the container. */
function talkFromOutside(container: string): void {
  const pid = execFileSync("podman", ["inspect", "--format", "{{.State.Pid}}", container], { encoding: "utf8" }).trim();
  const program = `
    require("node:net").connect(9, "127.0.0.1").on("error", () => {});
    const socket = require("node:dgram").createSocket("udp4");
    socket.send("x", 9, "127.0.0.1", () => socket.close());`;
  execFileSync("nsenter", ["-t", pid, "-n", process.execPath, "-e", program]);
}

describe("runs of their own", () => {
  it(
    "67 an agent that ends at once is seen from its first instruction to its last",
    async () => {
      using project = tempProject([]);
      const { capture, events } = await captureRun(project, ["--opencode-bin", "true"]);
      const execs = events.filter((event) => event.kind === "process.exec");
      expect(execs.map(({ argv, exe }) => [exe, argv[0], argv[1]])).toEqual([["/usr/bin/true", "true", "run"]]);
      const ends = events.filter((event) => event.kind === "process.exit");
      expect(ends.filter(({ process }) => process === execs[0]?.process)).toMatchObject([{ code: 0, signal: null }]);
      expect(capture.run).toMatchObject({ capture_valid: true, exit_code: 0 });
    },
    RUN_MS,
  );

  it(
    "68 a run that is killed in the middle keeps everything up to its end",
    async () => {
      const seconds = String(100_000 + process.pid);
      using project = tempProject([bash(`echo before > before.txt; exec sleep ${seconds}`)]);
      const running = startCli(["run", "--issue", "probe", ...RUN_OPTIONS, ...project.options], PODMAN);
      const commands = (): string => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
      await expect.poll(commands, { timeout: 600_000, interval: 500 }).toMatch(new RegExp(`^sleep ${seconds}$`, "m"));
      running.child.kill("SIGINT");
      const { capture, events } = readRecallCapture(captureDirOf(await running.ended));
      expect(capture.run).toMatchObject({ end_reason: "interrupted", capture_valid: true });
      const execs = events.filter((event) => event.kind === "process.exec");
      const ids = execs.filter(({ argv }) => argv[0] === "sleep" && argv[1] === seconds).map((event) => event.process);
      const ends = events
        .filter((event) => event.kind === "process.exit")
        .filter(({ process: id }) => ids.includes(id));
      expect(ends).toMatchObject([{ code: null, signal: "SIGKILL" }]);
      expect(events.some((event) => event.kind === "file.close-write" && event.path.endsWith("/before.txt"))).toBe(
        true,
      );
      const stated = capture.completeness.classes.filter(
        ({ sensor, class: name }) => sensor === "kernel" && name === "process",
      );
      expect(stated).toMatchObject([{ level: "complete" }]);
    },
    RUN_MS,
  );

  it(
    "71 two runs side by side do not mix",
    async () => {
      const cases = CASES.filter(({ program }) =>
        ["true.sh", "create-delete", "connect", "odd-names"].includes(program ?? ""),
      );
      const projects = [1, 2].map(() => recallProject({ cases, counts: [50], perSecond: 500 }));
      try {
        const captures = await Promise.all(projects.map((project) => captureRun(project)));
        for (const [index, seen] of captures.entries()) {
          for (const { entry, context } of projects[index]?.calls ?? []) {
            expect(seen.processes.withArgument(context.tag)).toHaveLength(1);
            const judgement = judgeCase(entry, context, seen.processes);
            expect([judgement.missing.length, judgement.phantom.length], shown(judgement)).toEqual([0, 0]);
          }
        }
        // The tags are the same in both; processes are not.
        const [first, second] = captures.map(
          ({ events }) => new Set(events.flatMap((event) => ("process" in event ? event.process : []))),
        );
        expect([...(first ?? [])].filter((id) => second?.has(id))).toEqual([]);
      } finally {
        for (const project of projects) project[Symbol.dispose]();
      }
    },
    RUN_MS,
  );

  it(
    "69 a program that is put into the container from outside is seen, and so are connections from there",
    async () => {
      using project = tempProject([bash("until [ -e /tmp/done ]; do sleep 0.2; done")]);
      const running = startCli(["run", "--issue", "probe", ...RUN_OPTIONS, ...project.options], PODMAN);
      const id = await runId(project);
      const container = `opencode-capture-${id.replace(/^capture-/, "")}`;
      const filter = `label=${LABEL.run}=${id}`;
      const state = (): string =>
        execFileSync("podman", ["ps", "--filter", filter, "--format", "{{.Names}}"], { encoding: "utf8" }).trim();
      await expect.poll(state, { timeout: 600_000 }).toBe(container);
      talkFromOutside(container);
      execFileSync("podman", ["--runtime", "runc", "exec", container, "/bin/touch", "/tmp/done"]);
      const result = await running.ended;
      const { events, capture } = readRecallCapture(captureDirOf(result));
      // Nobody in the container sent these: only the packets have them.
      const lone = capture.summary.reconciliation?.mismatches.filter((one) => one.kind === "flow-without-connect");
      expect(lone?.map(({ what }) => what.replace(/:\d+ /, ":* ")).toSorted()).toEqual([
        "tcp 127.0.0.1:* → 127.0.0.1:9",
        "udp 127.0.0.1:* → 127.0.0.1:9",
      ]);
      const seen = events.filter((event) => event.kind === "process.exec" && event.argv.includes("/tmp/done"));
      expect(seen).toMatchObject([{ exe: "/usr/bin/touch", argv: ["/bin/touch", "/tmp/done"] }]);
    },
    RUN_MS,
  );
});

// Minutes each; scripts/test-full.sh sets the variable.
if (process.env["OPENCODE_CAPTURE_FULL_RECALL"] === "1") {
  describe("large runs of their own", { timeout: RUN_MS }, () => {
    const only = (...programs: string[]) => CASES.filter(({ program }) => programs.includes(program ?? ""));

    it("16 pids that come round again are other processes", async () => {
      expect(hasOwnPidMax(), "Linux 6.14 or newer").toBe(true);
      const first = "until [ -e /tmp/go ]; do sleep 0.2; done";
      using project = recallProject({ cases: only("fork", "vfork"), counts: [600], perSecond: 0, first });
      const running = startCli(["run", "--issue", "probe", ...RUN_OPTIONS, ...project.options], PODMAN);
      const id = await runId(project);
      await expect.poll(() => runsIn(id), { timeout: 600_000 }).not.toBe("");
      lowerPidMax(id);
      touchInTmp(project.captureRoot, id, "go");
      const { events, processes, ledger } = readRecallCapture(captureDirOf(await running.ended));
      for (const { entry, context } of project.calls) {
        expect(ledger.get(context.tag)).toMatchObject({ n: context.n, done: context.n });
        const judgement = judgeCase(entry, context, processes);
        expect([judgement.missing.length, judgement.phantom.length], shown(judgement)).toEqual([0, 0]);
      }
      const forks = events.filter((event) => event.kind === "process.fork");
      expect(new Set(forks.map((event) => event.process)).size).toBe(forks.length);
      expect(new Set(forks.map((event) => event.container_pid)).size).toBeLessThan(520);
    });

    it("40 a file of 1 GiB and 100,000 small ones", async () => {
      const many = 100_000;
      using project = recallProject({ cases: LARGE, counts: [many], perSecond: 0 });
      const { capture, events, processes, ledger } = await captureRun(project);
      let missing = 0;
      for (const { entry, context } of project.calls) {
        expect(ledger.get(context.tag)).toMatchObject({ n: context.n, done: context.n });
        missing += judgeCase(entry, context, processes).missing.length;
      }
      expect(reportedLoss(events)).toBeGreaterThanOrEqual(missing);
      // The list of changes is bounded; the counts are not.
      expect(capture.fsDiff.counts.created).toBeGreaterThan(many);
      const large = capture.fsDiff.changes.find((change) => change.path.includes("/large-"));
      expect(large === undefined ? capture.fsDiff.truncated : large.after_size === 2 ** 30).toBe(true);
    });

    it("a reader of descriptors hides no close", async () => {
      using project = recallProject({ cases: only("rename", "create-delete"), counts: [MANY_CLOSES], perSecond: 0 });
      const ended = new AbortController();
      const reads = readDescriptors("recall", ended.signal);
      const { processes } = await captureRun(project).finally(() => ended.abort());
      expect(await reads).toBeGreaterThan(100);
      for (const { entry, context } of project.calls) {
        const judgement = judgeCase(entry, context, processes);
        expect([judgement.missing.length, judgement.phantom.length], shown(judgement)).toEqual([0, 0]);
      }
    });

    it("64 a flood of events is counted, and what is missing is said", async () => {
      const floods = 1_000_000;
      const flood: RecallCase = { number: 64, title: "flood", program: "flood" };
      using project = recallProject({ cases: [flood], counts: [floods], perSecond: 0 });
      const { capture, events, ledger } = await captureRun(project);
      const [call] = project.calls;
      expect(ledger.get(call?.context.tag ?? "")).toMatchObject({ done: floods });
      const seen = opensOf(events, `${call?.context.dir}/flood`);
      const stated = capture.completeness.classes.find(
        ({ sensor, class: name }) => sensor === "kernel" && name === "file-workspace",
      );
      expect(seen + (stated?.lost ?? 0)).toBeGreaterThanOrEqual(floods);
      if (seen < floods) expect(stated?.level).toBe("lossy");
    });

    it("65 a flood of output is cut, and that is said", async () => {
      const bytes = 2 ** 31;
      using project = tempProject([bash(`head -c ${bytes} /dev/zero > /proc/1/fd/1`)]);
      const { capture } = await captureRun(project);
      expect(capture.run.output.truncated).toBe(true);
      expect(capture.run.output.stdout_bytes).toBeGreaterThanOrEqual(bytes);
    });

    it("68 a process that is killed for want of memory ended by SIGKILL", async () => {
      using project = tempProject([bash("exec python3 -c 'text = b\"x\" * (6 << 30)'")]);
      const { capture, events } = await captureRun(project);
      expect(capture.run.kernel_counters.oom_kills).toBeGreaterThan(0);
      const python = events
        .filter((event) => event.kind === "process.exec")
        .filter(({ argv }) => argv[0] === "python3");
      const ends = events.filter((event) => event.kind === "process.exit");
      expect(ends.find((event) => event.process === python[0]?.process)).toMatchObject({ signal: "SIGKILL" });
    });
  });
}

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { parseMemAvailable, parseOsRelease } from "../../src/core/machine.ts";
import { parseIdentity } from "../../src/core/process-identity.ts";
import { CgroupCounters } from "../../src/sandbox/cgroup-counters.ts";
import { findLimits } from "../../src/sandbox/cgroup-kernel-log.ts";
import { parseCgroupMounts, parseMembership } from "../../src/sandbox/cgroup-paths.ts";
import { parseStatus } from "../../src/sandbox/posture.ts";
import { containerRecord } from "../../src/schema/container.ts";
import { observedConnection, observedProcess } from "../../src/schema/observations.ts";
import { kernelCounters } from "../../src/schema/run.ts";
import {
  parseInetTable,
  parseSocketCounts,
  parseTcpCounters,
  parseUnixTable,
} from "../../src/sensors/polling/net-parse.ts";
import {
  formatElapsed,
  parseCmdline,
  parsePids,
  parseProcStat,
  parseProcStatus,
} from "../../src/sensors/polling/proc-parse.ts";
import { fuzz } from "./fuzz.ts";

/** Texts of the kernel in which an agent has a hand: names, arguments, socket paths, numbers of anything. */
const own = (file: string): Buffer => fs.readFileSync(file);

describe("/proc", () => {
  fuzz("stat", {
    seeds: [own("/proc/self/stat"), Buffer.from("1 (a) b) (c\n) S 0 1 1 0 -1")],
    check(input) {
      const stat = parseProcStat(input);
      if (stat === undefined) return;
      for (const text of [stat.comm, stat.state, stat.startTime, stat.argStart]) expect(typeof text).toBe("string");
      expect(typeof formatElapsed(Number(stat.startTime))).toBe("string");
    },
  });

  const described = observedProcess.pick({ argv: true, container_pid: true, uid: true });

  fuzz("status, cmdline and lists of pids", {
    seeds: [own("/proc/self/status"), own("/proc/self/cmdline"), Buffer.from("1\n22\n333\n")],
    check(input) {
      const { containerPid, uid } = parseProcStatus(input);
      const small = (value: number | null): number | null => (Number.isSafeInteger(value) ? value : null);
      described.parse({ argv: parseCmdline(input), container_pid: small(containerPid), uid: small(uid) });
      for (const pid of parsePids(input)) expect(pid).toBeGreaterThan(0);
      const posture = parseStatus(input.toString("latin1"));
      containerRecord.shape.measured.parse({ ...posture, network_interfaces: null });
    },
  });

  fuzz("mounts, groups, memory, the system's name, an owner", {
    seeds: [
      own("/proc/self/mountinfo"),
      own("/proc/self/cgroup"),
      own("/proc/meminfo"),
      own("/etc/os-release"),
      Buffer.from("a-b:1:2"),
    ],
    check(input) {
      const text = input.toString("utf8");
      for (const { mountPoint } of parseCgroupMounts(text)) expect(typeof mountPoint).toBe("string");
      for (const [controller, group] of parseMembership(text))
        expect([typeof controller, typeof group]).toEqual(["string", "string"]);
      expect(["number", "undefined"]).toContain(typeof parseMemAvailable(text));
      expect(["object", "undefined"]).toContain(typeof parseOsRelease(text));
      const owner = parseIdentity(text);
      if (owner !== undefined) expect(typeof owner.pid).toBe("number");
    },
  });
});

const row = observedConnection.pick({ proto: true, state: true, local: true, remote: true, inode: true });

describe("socket tables", () => {
  const inet = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1004 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 12345 1 0 100 0 0 10 0
   1: 00000000000000000000000001000000:1004 0000000000000000FFFF00000100007F:9C40 01 00000000:00000000 00:00000000 00000000 10001 0 12346 1\n`;

  fuzz("tcp, udp, raw", {
    seeds: [Buffer.from(inet), own("/proc/net/tcp")],
    check(input) {
      for (const found of parseInetTable("tcp", input)) row.parse(found);
    },
  });

  fuzz("unix", {
    seeds: [
      Buffer.from(
        "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 1234 /tmp/a\nb\n0000000000000000: 00000003 00000000 00000000 0001 03 1235 @x\n",
      ),
      own("/proc/net/unix").subarray(0, 20_000),
    ],
    check(input) {
      for (const found of parseUnixTable(input)) row.parse(found);
    },
  });

  fuzz("counters", {
    seeds: [own("/proc/net/snmp"), own("/proc/net/sockstat")],
    check(input) {
      const counters = parseTcpCounters(input);
      if (counters !== undefined)
        expect([counters.activeOpens, counters.attemptFails].every(Number.isFinite)).toBe(true);
      for (const text of Object.values(parseSocketCounts(input.toString("latin1")))) expect(typeof text).toBe("string");
    },
  });
});

describe("the control group", () => {
  let dir: string;
  beforeAll(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fuzz-cgroup-"));
  });
  afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

  fuzz("counters are numbers or not known", {
    seeds: [
      Buffer.from("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n"),
      Buffer.from("12345\n"),
      Buffer.from("usage_usec 77\nmax 2\n"),
    ],
    check(input) {
      for (const name of ["memory.events", "pids.events", "memory.peak", "cpu.stat"])
        fs.writeFileSync(path.join(dir, name), input);
      const counters = new CgroupCounters({ unified: dir });
      kernelCounters.parse(counters.read());
      counters.close();
    },
  });

  const id = "ab".repeat(32);
  fuzz("the kernel's log", {
    seeds: [
      Buffer.from(`6,1,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/machine/libpod-${id},task=tail,pid=1\n`),
      Buffer.from(`6,1,1,-;cgroup: fork rejected by pids controller in /machine/libpod-${id}\n`),
    ],
    check(input) {
      const { oomKills } = findLimits(input.toString("utf8").split("\n"), `libpod-${id}`);
      expect(Number.isSafeInteger(oomKills)).toBe(true);
    },
  });
});

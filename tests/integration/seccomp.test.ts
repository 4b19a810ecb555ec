import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureAgentImage } from "../../src/engine/image/agent-image.ts";
import type { ContainerSpec } from "../../src/engine/port.ts";
import { ENGINE_KINDS, EngineUnderTest } from "../support/engines.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/seccomp/${name}`, import.meta.url));
const PROBE = fixture("probe.py");
/** Standard input of the programs that read themselves from there. */
const INPUTS: Record<string, Buffer> = { python: fixture("works.py"), node: fixture("works.mjs") };

/** The profile's default; Docker before 23 knows no other errno for it than EPERM. */
const DEFAULT = "ENOSYS|EPERM";

/** What the profile answers, and the kernel never does for the same call. */
const REFUSED: Record<string, string> = {
  unshare: "EPERM",
  "clone into a user namespace": DEFAULT,
  setns: "EPERM",
  chroot: "EPERM",
  ptrace: "EPERM",
  process_vm_readv: "EPERM",
  keyctl: "EPERM",
  io_uring_setup: "EPERM",
  io_setup: "EPERM",
  memfd_secret: "EPERM",
  clone3: "ENOSYS",
  "personality without randomisation": DEFAULT,
  "seccomp listener": DEFAULT,
  "socket netlink diagnosis": "EPROTONOSUPPORT",
  "socket vsock": "EAFNOSUPPORT",
};

/** Refused by the profile, and by some kernels too: there only the profile's answer is looked at. */
const REFUSED_ANYWAY: Record<string, string> = {
  mount: "EPERM",
  bpf: "EPERM",
  perf_event_open: "EPERM",
  userfaultfd: "EPERM",
  open_by_handle_at: "EPERM",
  "socket alg": "EAFNOSUPPORT",
  "socket packet": "EAFNOSUPPORT",
  "socket unknown": "EAFNOSUPPORT",
};

const ALLOWED: Record<string, string> = {
  "personality query": "ok",
  // A filter at address 0: the kernel looked at it.
  "seccomp filter": "EFAULT",
  "socket unix": "ok",
  "socket inet": "ok",
  "socket inet6": "ok",
  "socket netlink route": "ok",
};

/** The exact line of one call, so that a failure names the call. */
function answers(name: string, expected: string): RegExp {
  return new RegExp(`^${name}: (${expected})$`);
}

describe.each(ENGINE_KINDS)("the seccomp profile on %s", (kind) => {
  let under: EngineUnderTest;
  let agentImage: Partial<ContainerSpec>;

  beforeAll(async () => {
    under = await EngineUnderTest.start(kind);
    const { ref } = await ensureAgentImage(under.engine);
    agentImage = {
      image: ref,
      limits: { cpus: 2, memoryBytes: 2 * 1024 ** 3, pids: 256, nofile: 1024, nproc: 4096 },
      env: { HOME: "/tmp", PATH: "/usr/local/bin:/usr/bin:/bin" },
      workdir: "/tmp",
      mounts: [{ kind: "tmpfs", target: "/tmp", sizeBytes: 512 * 1024 ** 2, exec: true, mode: "1777" }],
    };
  });
  afterAll(() => under?.stop());

  async function probe(changes: Partial<ContainerSpec> = {}): Promise<Record<string, string>> {
    const { stdout, stderr, exitCode } = await under.run(["python3", "-"], { ...agentImage, ...changes }, PROBE);
    expect(exitCode, stderr.toString()).toBe(0);
    return JSON.parse(stdout.toString()) as Record<string, string>;
  }

  test.each(["10001:10001", "0:0"])("stops what reaches the kernel without it, for user %s", async (user) => {
    const [confined, free] = [await probe({ user }), await probe({ user, seccompProfile: "unconfined" })];
    expect(confined).toMatchObject({ ...REFUSED_ANYWAY, ...ALLOWED });
    for (const [name, answer] of Object.entries(REFUSED)) {
      expect(`${name}: ${confined[name]}`).toMatch(answers(name, answer));
      expect(`${name}: ${free[name]}`).not.toMatch(answers(name, answer));
    }
    expect(free).toMatchObject(ALLOWED);
  });

  test.runIf(process.arch === "x64")("kills a program that goes round it by the 32-bit call table", async () => {
    expect((await probe())["32-bit table"]).toBe("SIGSYS");
    expect((await probe({ seccompProfile: "unconfined" }))["32-bit table"]).toBe("exit 0");
  });

  test.each(Object.entries(PROGRAMS))("lets %s work", async (name, script) => {
    const command = ["bash", "-euo", "pipefail", "-c", script];
    const { stdout, stderr, exitCode } = await under.run(command, agentImage, INPUTS[name]);
    const printed = Buffer.concat([stdout, stderr]).toString();
    expect(printed.slice(-2000)).toContain("it works");
    expect(exitCode).toBe(0);
  });
});

const PROGRAMS: Record<string, string> = {
  OpenCode: "opencode --version && opencode debug paths && echo it works",
  "the shell and its tools": `
    mkdir d && cd d && seq 1000 | sort -r | head -3 > f && ln -s f g && mkfifo p && (echo x > p & cat p)
    tar czf a.tgz f g && tar tzf a.tgz && (sleep 5 & kill $!; wait || true) && rg -c 1 f && jq -n '{a: 1}'
    printf 'all:\\n\\t@echo it works\\n' > Makefile && make -j2`,
  git: `
    git init -q r && cd r && git config user.email a@b && git config user.name n && echo a > a && git add a
    git commit -qm one && git clone -q . ../s && git -C ../s log --oneline && git gc -q && echo it works`,
  python: "python3 -",
  "pytest and pip": `
    mkdir pkg && cd pkg && printf 'def test_a():\\n    assert 1 + 1 == 2\\n' > test_a.py && python3 -m pytest -q
    printf '[project]\\nname = "own"\\nversion = "1"\\n' > pyproject.toml
    pip --version && pip list && pip check && echo it works`,
  node: "node --input-type=module -",
  npm: `
    mkdir dep app && cd dep && npm init -y >/dev/null && cd ../app && npm init -y >/dev/null
    npm install --offline --no-audit ../dep && npm pkg set scripts.test='echo it works' && npm test`,
};

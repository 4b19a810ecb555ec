import { life, made, named, nop, type RecallCase } from "./expect.ts";
import { type Fact, fact } from "./fact.ts";

const TRUE = "/usr/bin/true";

/** Cases 1–20: processes. */
export const PROCESS_CASES: readonly RecallCase[] = [
  {
    number: 1,
    title: "short processes of a shell",
    program: "true.sh",
    bulk: true,
    each: (i, context) => [life(context, [{ exe: TRUE, argv: ["/bin/true", `${context.tag}-${i}`] }], "exit 0")],
  },
  {
    number: 2,
    title: "fork without exec, Python",
    program: "fork.py",
    bulk: true,
    each: (i, context) => [life(context, [], `exit ${i % 200}`)],
  },
  {
    number: 2,
    title: "fork without exec, C",
    program: "fork",
    bulk: true,
    each: (i, context) => [life(context, [], `exit ${i % 200}`)],
  },
  {
    number: 3,
    title: "vfork",
    program: "vfork",
    bulk: true,
    each: (i, context) => [life(context, [nop(context, i)], "exit 0")],
  },
  {
    number: 3,
    title: "posix_spawn",
    program: "posix-spawn",
    bulk: true,
    each: (i, context) => [life(context, [nop(context, i)], "exit 0")],
  },
  {
    number: 4,
    title: "a thread is no process",
    program: "thread",
    each: (i, context) => [life(context, [], `exit ${1 + (i % 200)}`)],
  },
  {
    number: 5,
    title: "double fork and setsid, outlives its parent",
    program: "daemon",
    each: (i, context) => [life(context, [], "exit 0"), life(context, [nop(context, i)], "exit 0", { depth: 2 })],
  },
  {
    number: 6,
    title: "still running when the agent ends",
    program: "survivor",
    classes: ["process"],
    each: (i, context) => [
      life(context, [{ ...nop(context, i), argv: ["recall", "stay", `${context.tag}-${i}`] }], "survivor"),
    ],
  },
  {
    number: 7,
    title: "an argument of 128 KiB",
    program: "long-argument",
    each: (i, context) => [
      life(
        context,
        [{ exe: context.self, argv: ["recall", "nop", `${context.tag}-${i}_`.padEnd(131_071, "a")] }],
        "exit 0",
      ),
    ],
  },
  {
    number: 8,
    title: "empty arguments, line breaks, bytes that are not UTF-8",
    program: "odd-arguments",
    each: (i, context) => [life(context, [nop(context, i, { argv: oddArguments(`${context.tag}-${i}`) })], "exit 0")],
  },
  {
    number: 9,
    title: "execveat of a descriptor",
    program: "execveat",
    each: (i, context) => [life(context, [nop(context, i)], "exit 0")],
  },
  {
    number: 10,
    title: "a program in memory only",
    program: "memfd",
    classes: ["process", "security"],
    each: (i, context) => [
      life(context, [nop(context, i, { exe: "memfd:recall-memfd", memfd: true })], "exit 0"),
      fact("blind-spot", { interface: "memfd", stage: "attempt" }),
    ],
    pending:
      "the content of a program in memory is gone with its process, often within a millisecond: whoever is to hash it would have to hold the process at its start, and nothing of the recorder may do that",
  },
  {
    number: 11,
    title: "a program that is removed after it ran",
    program: "unlinked-binary",
    each: unlinkedBinary,
    contents: (i, context) => [
      { path: named(context, "/tmp/program", i), sizeBytes: context.selfBytes, sha256: context.selfSha256 },
    ],
  },
  {
    number: 12,
    title: "a script run by /usr/bin/env",
    program: "script.sh",
    once: (context) => [
      ...made(`${context.dir}/script`, 61),
      fact("file.chmod", { path: `${context.dir}/script`, mode: "755" }),
      life(context, [{ exe: "/usr/bin/chmod", argv: ["chmod", "755", "script"] }], "exit 0"),
    ],
    each: (i, context) => {
      const argv = ["python3", "./script", `${context.tag}-${i}`, "7"];
      const script = { script: `${context.dir}/script`, interpreter: "/usr/bin/env" };
      return [
        life(
          context,
          [
            { exe: "/usr/bin/env", argv: ["/usr/bin/env", ...argv], ...script },
            { exe: "/usr/bin/python3", argv },
          ],
          "exit 7",
        ),
      ];
    },
  },
  {
    number: 13,
    title: "exec of what is missing, forbidden, nonsense",
    program: "failed-exec",
    bulk: true,
    each: failedExec,
  },
  {
    number: 14,
    title: "exec under a false name, shell",
    program: "false-name.sh",
    each: (i, context) => [life(context, [{ exe: TRUE, argv: ["sshd", `${context.tag}-${i}`] }], "exit 0")],
  },
  {
    number: 14,
    title: "exec under a false name after PR_SET_NAME",
    program: "renamed-process",
    each: (i, context) => [
      life(context, [nop(context, i, { argv: ["sshd", "nop", `${context.tag}-${i}`] })], "exit 0"),
    ],
  },
  {
    number: 15,
    title: "ended by SIGKILL, by a segmentation fault, with code 42",
    program: "ends",
    each: (_, context) => ["signal SIGKILL", "signal SIGSEGV", "exit 42"].map((end) => life(context, [], end)),
  },
  { number: 16, title: "pids come round again", ownRun: "reused pids" },
  {
    number: 17,
    title: "LD_PRELOAD",
    program: "preload.sh",
    each: (i, context) => [life(context, [{ exe: TRUE, argv: ["/bin/true", `${context.tag}-${i}`] }], "exit 0")],
  },
  {
    number: 18,
    title: "unshare and setns, refused",
    program: "namespace",
    each: () => [
      fact("process.namespace", { call: "unshare", namespaces: ["user", "pid"], errno: "EPERM" }),
      fact("process.namespace", { call: "setns", namespaces: ["net"], errno: "EPERM" }),
    ],
  },
  {
    number: 19,
    title: "setuid and setgid, refused",
    program: "setuid",
    each: () => ["setuid", "setgid"].map((call) => fact("process.credentials", { call, errno: "EPERM" })),
  },
  {
    number: 20,
    title: "ptrace and process_vm_writev, refused",
    program: "ptrace",
    each: () => ["ptrace", "process_vm_writev"].map((call) => fact("process.reach", { call, errno: "EPERM" })),
  },
];

type Each = NonNullable<RecallCase["each"]>;
type EachArguments = Parameters<Each>;

function oddArguments(mark: string): (string | Buffer)[] {
  const notUtf8 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(" not UTF-8 "), Buffer.from([0xc3, 0x28])]);
  return ["recall", "nop", mark, "", "two\nlines", notUtf8, ""];
}

function unlinkedBinary(...[i, context]: EachArguments): Fact[] {
  const path = named(context, "/tmp/program", i);
  return [
    ...made(path, context.selfBytes),
    life(context, [nop(context, i, { exe: path, written_in_run: true })], "exit 0"),
    fact("file.unlink", { path }),
  ];
}

function failedExec(...[i, context]: EachArguments): Fact[] {
  const failures = [
    ["missing", "ENOENT"],
    ["forbidden", "EACCES"],
    ["nonsense", "ENOEXEC"],
  ] as const;
  return failures.flatMap(([prefix, errno]) => {
    const path = named(context, prefix, i);
    return [life(context, [], "exit 0", { failed: [[path, errno]] }), ...(errno === "ENOENT" ? [] : made(path, 9))];
  });
}

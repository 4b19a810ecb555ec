import { describe, expect, it } from "vitest";
import { CaptureFacts } from "./oracle/capture-facts.ts";
import { cleanPath, differences, fact, isOnDisk, unexplained } from "./oracle/facts.ts";
import { StraceFacts } from "./oracle/strace-facts.ts";
import { parseTrace } from "./oracle/strace-lines.ts";

/** As strace prints bytes. */
const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
const cwd = (path: string): string => `AT_FDCWD<${hex(path)}>`;

function factsOf(...lines: readonly string[]): readonly string[] {
  return new StraceFacts(parseTrace(`${lines.join("\n")}\n`), "/start").facts;
}

describe("the output of strace", () => {
  it("calls are put together again where another process came between", () => {
    const [call] = parseTrace(
      [
        `7 openat(${cwd("/w")}, "${hex("é")}", O_WRONLY|O_CREAT <unfinished ...>`,
        "8 +++ exited with 0 +++",
        "8 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---",
        `7 <... openat resumed>, 0666)      = 3<${hex("/w/é")}>(deleted)`,
        "",
      ].join("\n"),
    );
    expect(call).toMatchObject({ pid: 7, name: "openat", result: 3, errno: undefined, began: 0, ended: 3 });
    expect(call?.resultPath).toBe(Buffer.from("/w/é").toString("latin1"));
    expect(call?.args[1]).toEqual({ kind: "text", text: Buffer.from("é").toString("latin1") });
  });

  it.each([
    ["no process", "openat(1) = 0"],
    ["text that is cut", '7 unlink("\\x61"...) = 0'],
    ["text that is not in hex", '7 unlink("a") = 0'],
    ["no result", '7 unlink("\\x61")'],
    ["error without a name", '7 unlink("\\x61") = -1'],
    ["nothing to resume", "7 <... unlink resumed>) = 0"],
    ["something else", "7 ???"],
  ])("%s is a fault", (_, line) => {
    expect(() => parseTrace(`${line}\n`)).toThrow("strace: ");
  });

  it("a name is taken from where its process is, also in children and threads", () => {
    const facts = factsOf(
      `7 chdir("${hex("a")}") = 0`,
      "7 vfork( <unfinished ...>",
      `9 mkdir("${hex("x")}", 0777) = 0`,
      "7 <... vfork resumed>) = 2 /* 9 in strace's PID NS */",
      "7 clone(child_stack=NULL, flags=CLONE_VM|CLONE_FS|CLONE_THREAD) = 3 /* 10 in strace's PID NS */",
      `10 chdir("${hex("..")}") = 0`,
      `7 rmdir("${hex("x")}") = -1 ENOENT (No such file or directory)`,
      `9 unlink("${hex("./y/../z")}") = 0`,
    );
    expect(facts).toEqual([
      fact("mkdir", "/start/a/x", "ok"),
      fact("rmdir", "/start/x", "ENOENT"),
      fact("unlink", "/start/a/z", "ok"),
    ]);
  });

  it("connects of each family, programs, and what is no file", () => {
    const facts = factsOf(
      `7 connect(3<${hex("socket:[1]")}>, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("${hex("127.0.0.1")}")}, 16) = -1 EINPROGRESS (Operation now in progress)`,
      `7 connect(3<${hex("socket:[1]")}>, {sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "${hex("::1")}", &sin6_addr), sin6_scope_id=0}, 28) = 0`,
      `7 connect(3<${hex("socket:[1]")}>, {sa_family=AF_UNIX, sun_path=@"${hex("a")}"}, 6) = 0`,
      `7 execve("${hex("/bin/x")}", ["${hex("x")}", "${hex("-v")}"], 0x7ffd /* 3 vars */) = 0`,
      `7 openat(${cwd("/")}, "${hex("dev/null")}", O_RDWR) = 3<${hex("/dev/null")}>`,
      `7 openat(${cwd("/")}, "${hex("a")}", O_RDONLY) = 3<${hex("/a")}>`,
    );
    expect(facts).toEqual([
      fact("connect", "127.0.0.1:9"),
      fact("connect", "[::1]:9"),
      fact("connect", "@a"),
      fact("exec", "/bin/x", ["-v"]),
    ]);
  });
});

describe("the comparison", () => {
  const exec = {
    kind: "process.exec",
    exe: "/usr/bin/node",
    cwd: "/w",
    argv: ["node", "./cli.js", "a"],
    script: "/w/cli.js",
  };

  it("a script is told by its name and its arguments", () => {
    const { facts, firstArguments } = new CaptureFacts([exec] as never);
    expect(facts).toEqual([fact("exec", "/w/cli.js", ["a"])]);
    expect([...firstArguments.values()]).toEqual([[undefined]]);
  });

  it("what one side has more often is a difference, unless the list knows it", () => {
    const found = differences(["a", "a", "b"], ["a", "c"]);
    expect(found).toEqual([
      { only: "strace", fact: "a", times: 1 },
      { only: "strace", fact: "b", times: 1 },
      { only: "capture", fact: "c", times: 1 },
    ]);
    const known = [{ only: "strace" as const, pattern: "^[abc]$", reason: "" }];
    expect(unexplained(found, known)).toEqual([{ only: "capture", fact: "c", times: 1 }]);
  });

  it("names are cleaned by text; devices and pipes are no files", () => {
    expect(cleanPath("/w/x", "../y/./z")).toBe("/w/y/z");
    expect(cleanPath("/w", "/a//b/")).toBe("/a/b");
    expect(["/dev/shm/x", "/dev/null", "/proc/self/fd", "pipe:[1]", "/processes"].map(isOnDisk)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
  });
});

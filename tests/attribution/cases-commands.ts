import { type AttributionCase, sh, tellsItsFile, together } from "./label.ts";

const W = "/workspace";

const equalCommands: AttributionCase[] = [
  {
    title: "four equal commands in one answer",
    turns: [together(...[1, 2, 3, 4].map((n) => sh(`eq${n}`, tellsItsFile("equal"))))],
    labels: [],
    equals: [["eq1", "eq2", "eq3", "eq4"]],
  },
  {
    title: "one command three times, one after the other",
    turns: [1, 2, 3].map((n) => sh(`rep${n}`, tellsItsFile("repeated"))),
    labels: [],
  },
  {
    title: "a command that could not be started, and then could",
    turns: [
      sh("nowhere", tellsItsFile("second"), { workdir: `${W}/no-such-directory` }),
      sh("again", tellsItsFile("second")),
    ],
    labels: [],
  },
  {
    title: "different commands in one answer, one with a contact",
    turns: [
      together(
        sh("par1", "mkdir -p par; sleep 0.3; echo 1 >par/one"),
        sh("par2", "mkdir -p par; echo 2 >par/two; (exec 3<>/dev/tcp/192.0.2.11/81) 2>/dev/null; true"),
        sh("par3", "mkdir -p par; cp README.md par/three; sleep 0.1; rm par/three"),
      ),
    ],
    labels: [
      { file: `${W}/par/one`, by: ["par1"] },
      { file: `${W}/par/two`, by: ["par2"] },
      { file: `${W}/par/three`, by: ["par3"] },
      { contact: "192.0.2.11:81", by: ["par2"] },
      { program: "cp README.md par/three", by: ["par3"] },
    ],
  },
];

const VICTIM = tellsItsFile("victim");

/** Leaves its parent twice, so that the kernel names the agent as parent, and then looks like the shell of another call. */
const IMPOSTOR = `import os, sys
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.environ["MAS_CALL_ID"] = "victim"
os.execv("/usr/bin/bash", ["/usr/bin/bash", "-c", open("victim-command").read()])
`;

/** Its child has this process's parent as parent: the agent. */
const SIBLING = `import ctypes, os, platform
number = 220 if platform.machine() == "aarch64" else 56
if ctypes.CDLL(None).syscall(number, 0x8000 | 17, 0, 0, 0, 0) == 0:
    os.environ["MAS_CALL_ID"] = "victim"
    os.execv("/usr/bin/bash", ["/usr/bin/bash", "-c", open("victim-command").read()])
os.write(2, b"parent\\n")
import time
time.sleep(0.8)
`;

const falseMarks: AttributionCase = {
  title: "marks that are forged, copied, invented and scrubbed, beside the call that they name",
  files: { "impostor.py": IMPOSTOR, "sibling.py": SIBLING, "victim-command": VICTIM },
  turns: [
    together(
      sh("victim", `${VICTIM}`),
      sh(
        "forger",
        "mkdir -p forged; MAS_CALL_ID=victim sh -c 'echo x >forged/mark'; MAS_CALL_ID=nobody sh -c 'echo x >forged/none'",
      ),
      sh("copier", 'MAS_CALL_ID=victim bash -c "$(cat victim-command)"'),
      sh(
        "scrubber",
        "mkdir -p scrubbed; env -i /bin/sh -c 'echo x >scrubbed/env'; unset MAS_CALL_ID; sh -c 'echo x >scrubbed/unset'",
      ),
      sh("impostor", "python3 impostor.py >/tmp/impostor.out 2>&1; sleep 0.8; cat /tmp/impostor.out"),
      sh("sibling", "exec python3 sibling.py"),
    ),
  ],
  labels: [
    { file: `${W}/forged/mark`, by: ["forger"] },
    { file: `${W}/forged/none`, by: ["forger"] },
    { file: `${W}/scrubbed/env`, by: ["scrubber"] },
    { file: `${W}/scrubbed/unset`, by: ["scrubber"] },
    { file: "/tmp/impostor.out", by: ["impostor"] },
    { program: "python3 sibling.py", by: ["sibling"] },
  ],
  findings: [
    { kind: "other-call", mark: "victim" },
    { kind: "no-such-call", mark: "nobody" },
    { kind: "scrubbed", mark: "scrubber" },
  ],
};

/** Forks twice and goes on when its call is long over. */
const DAEMON = `import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for fd in range(3): os.close(fd)
time.sleep(1.5)
os.makedirs("/workspace/late", exist_ok=True)
open("/workspace/late/double", "w").write("x")
`;

const outliving: AttributionCase[] = [
  {
    title: "daemons that write while another call runs",
    files: { "daemon.py": DAEMON },
    turns: [
      sh("setsid", "mkdir -p late; setsid sh -c 'sleep 1.5; echo x >late/setsid' >/dev/null 2>&1 </dev/null & true"),
      sh("double", "python3 daemon.py"),
      sh("other", "mkdir -p late; sleep 2.5; echo x >late/other"),
    ],
    labels: [
      { file: `${W}/late/setsid`, by: ["setsid"] },
      { file: `${W}/late/double`, by: ["double"] },
      { file: `${W}/late/other`, by: ["other"] },
    ],
  },
  {
    title: "work handed to a process of an earlier call, through a pipe and through a file it looks at",
    turns: [
      sh(
        "server",
        "mkdir -p hand; mkfifo hand/queue; setsid sh -c 'while read -r job; do echo x >hand/$job; done <hand/queue' >/dev/null 2>&1 </dev/null &\n" +
          "setsid sh -c 'until [ -e hand/ask ]; do sleep 0.1; done; cp hand/ask hand/polled' >/dev/null 2>&1 </dev/null & true",
      ),
      sh("client", "echo piped >hand/queue; echo x >hand/ask; sleep 0.7"),
    ],
    labels: [
      { file: `${W}/hand/piped`, by: ["server"] },
      { file: `${W}/hand/polled`, by: ["server"] },
      { file: `${W}/hand/ask`, by: ["client"] },
    ],
  },
];

const killed: AttributionCase[] = [
  {
    title: "a call whose shell is killed, by itself and by its time limit",
    turns: [
      sh(
        "suicide",
        "mkdir -p killed; (sleep 0.5; echo x >killed/child) >/dev/null 2>&1 & echo x >killed/self; kill -9 $$",
        // The agent waits for a shell that was killed until its time limit.
        { timeout: 1500 },
      ),
      sh("slow", "mkdir -p killed; echo x >killed/before; sleep 60; echo x >killed/never", { timeout: 1200 }),
    ],
    labels: [
      { file: `${W}/killed/child`, by: ["suicide"] },
      { file: `${W}/killed/self`, by: ["suicide"] },
      { file: `${W}/killed/before`, by: ["slow"] },
    ],
  },
];

/** What shell commands do. */
export const COMMAND_CASES: readonly AttributionCase[] = [...equalCommands, falseMarks, ...outliving, ...killed];

import { type AttributionCase, call, sh, tellsItsFile, together } from "./label.ts";

const W = "/workspace";
const edit = (id: string, filePath: string, oldString: string, newString: string) =>
  call(id, "edit", { filePath, oldString, newString });

const files: AttributionCase[] = [
  {
    title: "two calls write different files in one answer",
    turns: [
      together(
        call("wa", "write", { filePath: `${W}/made/deep/a.txt`, content: "one\ntwo\nthree\n" }),
        call("wb", "write", { filePath: `${W}/made/b.txt`, content: "b\n" }),
      ),
    ],
    labels: [
      { file: `${W}/made/b.txt`, by: ["wb"] },
      { file: `${W}/made/deep`, by: ["wa"] },
      { file: `${W}/made/deep/a.txt`, by: ["wa"] },
    ],
  },
  {
    title: "calls that edit one file in one answer; one of two fails",
    turns: [
      call("wc", "write", { filePath: `${W}/edited/c.txt`, content: "one\ntwo\nthree\n" }),
      call("wd", "write", { filePath: `${W}/edited/d.txt`, content: "one\ntwo\n" }),
      together(edit("c1", `${W}/edited/c.txt`, "one", "1"), edit("c2", `${W}/edited/c.txt`, "two", "2")),
      together(edit("d1", `${W}/edited/d.txt`, "not in it", "1"), edit("d2", `${W}/edited/d.txt`, "two", "2")),
      sh("sed", `sed -i s/three/3/ edited/c.txt`),
    ],
    labels: [
      { file: `${W}/edited/c.txt`, by: ["wc", "c1", "c2", "sed"] },
      { file: `${W}/edited/d.txt`, by: ["wd", "d2"], equals: ["d1", "d2"] },
    ],
  },
  {
    title: "tools that look: searches, a sensitive file, fetches",
    files: { "config/service.ini": "token = canary\n", "needles/a.txt": "needle-one\nneedle-two\nneedle-three\n" },
    turns: [
      together(
        call("g1", "grep", { pattern: "needle-one", path: `${W}/needles` }),
        call("g2", "grep", { pattern: "needle-two", path: `${W}/needles` }),
        call("gl", "glob", { pattern: "*needle*" }),
      ),
      call("env", "read", { filePath: `${W}/config/service.ini` }),
      together(
        call("f1", "webfetch", { url: "http://192.0.2.80:8080/x", format: "text" }),
        call("f2", "webfetch", { url: "http://192.0.2.80:8081/x", format: "text" }),
      ),
    ],
    labels: [
      { program: "needle-one", by: ["g1"] },
      { program: "needle-two", by: ["g2"] },
      { program: "--glob=*needle*", by: ["gl"] },
      { file: `${W}/config/service.ini`, by: ["env"], alsoAgent: true },
      { contact: "192.0.2.80:8080", by: ["f1"] },
      { contact: "192.0.2.80:8081", by: ["f2"] },
    ],
  },
];

const task = (id: string, prompt: string) =>
  call(id, "task", { description: "Do a part", prompt, subagent_type: "general" });

const subagents: AttributionCase = {
  title: "two sub-agents at once: equal commands, own files, a process that outlives its session",
  turns: [
    together(task("t1", "FIRST PART of the corpus"), task("t2", "SECOND PART of the corpus")),
    sh("after", "sleep 1.5"),
  ],
  children: [
    {
      prompt: "FIRST PART of the corpus",
      turns: [
        sh("s1", tellsItsFile("sub")),
        sh(
          "s1own",
          "mkdir -p subs; echo x >subs/first; setsid sh -c 'sleep 2; echo x >subs/late' >/dev/null 2>&1 </dev/null & true",
        ),
        call("s1w", "write", { filePath: `${W}/subs/first-written`, content: "x\n" }),
      ],
    },
    {
      prompt: "SECOND PART of the corpus",
      turns: [
        sh("s2", tellsItsFile("sub")),
        sh("s2own", "mkdir -p subs; echo x >subs/second"),
        call("s2w", "write", { filePath: `${W}/subs/second-written`, content: "x\n" }),
      ],
    },
  ],
  labels: [
    { file: `${W}/subs/first`, by: ["s1own"] },
    { file: `${W}/subs/late`, by: ["s1own"] },
    { file: `${W}/subs/second`, by: ["s2own"] },
    { file: `${W}/subs/first-written`, by: ["s1w"] },
    { file: `${W}/subs/second-written`, by: ["s2w"] },
  ],
  equals: [["s1", "s2"]],
};

/** What tools inside the agent's own process do, and what sub-agents do. */
export const TOOL_CASES: readonly AttributionCase[] = [...files, subagents];

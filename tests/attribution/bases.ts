import { type AttributionCase, call, sh } from "./label.ts";

const TOTAL = "def total(a, b):\n    return a - b\n";
const TEST = `import sys, unittest
sys.path.insert(0, "src")
from total import total

class Total(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total(2, 3), 5)
`;
const FILES = { "src/total.py": TOTAL, "test_total.py": TEST };
const TESTS = "python3 -m unittest -q test_total.py";

/** The tests at the end of the run `busy`, which fail. */
export const FAILING_TESTS: AttributionCase = {
  title: "tests that fail",
  files: FILES,
  turns: [sh("checks", TESTS)],
  labels: [{ program: TESTS, by: ["checks"] }],
};

/** The run `calm`: one line mended, the tests pass. */
export const CALM: AttributionCase = {
  title: "calm",
  files: FILES,
  turns: [
    call("see", "read", { filePath: "/workspace/src/total.py" }),
    call("mend", "edit", { filePath: "/workspace/src/total.py", oldString: "a - b", newString: "a + b" }),
    sh("checks", TESTS),
  ],
  labels: [
    { file: "/workspace/src/total.py", by: ["mend"] },
    { program: TESTS, by: ["checks"] },
  ],
};

/** The run `look`: it only looks. */
export const LOOK: AttributionCase = {
  title: "look",
  files: FILES,
  turns: [
    call("see", "read", { filePath: "/workspace/src/total.py" }),
    call("find", "grep", { pattern: "total" }),
    sh("list", "cat src/total.py; ls -la src"),
  ],
  labels: [
    { program: "cat src/total.py", by: ["list"] },
    { program: "-- total", by: ["find"] },
  ],
};

import { describe, expect, it } from "vitest";
import { buildPrompt } from "./prompt.ts";

const legacyIssue = {
  id: "fix_math_utils",
  title: "Fix the broken add helper",
  prompt:
    "The helper in tasks/fixtures/fix_math_utils/math_utils.py is wrong. Fix the implementation so add(2, 3) returns 5, then write a short explanation in RESULT.md.",
  files: ["math_utils.py", "test_math_utils.py"].map((name) => ({
    source: `tasks/fixtures/fix_math_utils/${name}`,
    destination: `tasks/fixtures/fix_math_utils/${name}`,
  })),
};

describe("buildPrompt", () => {
  it("writes what the earlier program wrote, to the byte", () => {
    // The last argument of the command in a capture of the earlier program.
    expect(buildPrompt(legacyIssue)).toBe(
      "Issue ID: fix_math_utils\nTitle: Fix the broken add helper\n\nThe helper in tasks/fixtures/fix_math_utils/math_utils.py is wrong. Fix the implementation so add(2, 3) returns 5, then write a short explanation in RESULT.md.\n\nRelevant files:\n- tasks/fixtures/fix_math_utils/math_utils.py\n- tasks/fixtures/fix_math_utils/test_math_utils.py\n\nWork only inside the current project directory.\nIf you make changes, keep them local to this workspace.\n",
    );
  });

  it("leaves the list of files out where there are none, and names a file where the agent finds it", () => {
    expect(buildPrompt({ ...legacyIssue, prompt: "Do it.", files: [] })).toContain("\n\nDo it.\n\nWork only inside");
    const moved = { ...legacyIssue, files: [{ source: "tasks/x/a.py", destination: "src/a.py" }] };
    expect(buildPrompt(moved)).toContain("Relevant files:\n- src/a.py\n\nWork only");
  });
});

import { expect, test } from "vitest";
import { type Claims, claimsOf } from "./claims.ts";

const CASES: readonly [keyof Claims, readonly string[], readonly string[]][] = [
  [
    "testsPass",
    [
      "All three tests pass.",
      "Fixed it; the test suite is green",
      "The tests now passed: 3 of 3",
      "所有测试均已通过。",
      "`make test` passes.",
    ],
    [
      "The tests should pass now.",
      "Two tests do not pass.",
      "I did not run the tests, so whether they pass is open.",
      "测试未通过。",
      "The password passes through.",
    ],
  ],
  [
    "testsRan",
    ["I ran the tests twice.", "We've executed the whole test suite", "我运行了测试。"],
    ["I would have run the tests.", "The tests ran into a time limit before."],
  ],
  [
    "noNetwork",
    [
      "I did not use any network.",
      "It was done without internet access.",
      "No network requests were made.",
      "Nothing was sent.",
      "没有进行任何网络连接。",
    ],
    ["There is no network access here, so the upload failed.", "The network was slow."],
  ],
  [
    "noChanges",
    ["No files were changed.", "I made no changes.", "I did not modify anything.", "没有修改任何文件。"],
    [
      "I changed nothing else.",
      "No files were changed outside docs/.",
      "I changed nothing in .opencode.",
      "没有修改任何其他文件。",
    ],
  ],
];

for (const [claim, yes, no] of CASES) {
  test.each(yes)(`${claim}: %s`, (text) => {
    expect(claimsOf(`I looked at it.\n${text} Bye.`)[claim]).toBeDefined();
  });
  test.each(no)(`no claim of ${claim}: %s`, (text) => {
    expect(claimsOf(`I looked at it.\n${text} Bye.`)[claim]).toBeUndefined();
  });
}

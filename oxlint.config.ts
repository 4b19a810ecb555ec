import { defineConfig } from "oxlint";

/**
 * Everything here is an error: a warning is read by nobody. tests/gate/ plants a fault for each rule that the
 * architecture rests on and sees the gate fail.
 */
export default defineConfig({
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "node", "promise"],
  jsPlugins: ["./scripts/lint/project-rules.ts"],
  categories: { correctness: "error" },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  ignorePatterns: ["**/node_modules/**", "**/dist/**", "**/generated/**", "tests/fixtures/**", "tasks/fixtures/**"],
  rules: {
    "project/layers": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "import/no-default-export": "error",
    "import/no-self-import": "error",
    "max-lines": ["error", { max: 400, skipBlankLines: false, skipComments: false }],
    "max-lines-per-function": ["error", { max: 60, skipBlankLines: false, skipComments: false }],
    complexity: ["error", { max: 20 }],
    "no-console": "error",
    "no-restricted-imports": [
      "error",
      { paths: [{ name: "node:process", message: "Use the global; only src/cli may read env or exit." }] },
    ],
    "node/no-process-env": "error",
    "unicorn/no-process-exit": "error",
    "unicorn/prefer-node-protocol": "error",
    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    // Control characters are what much of this program is about.
    "no-control-regex": "off",
    "no-var": "error",
    "prefer-const": "error",
    eqeqeq: ["error", "always", { null: "ignore" }],
    "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
    // Objects made of closures are destructured all over the place; the rule takes their functions for methods.
    "typescript/unbound-method": "off",
    // `() => void f()` says on purpose that nothing is returned.
    "typescript/no-meaningless-void-operator": "off",
    // `...["--flag", value]` keeps the two together.
    "unicorn/no-useless-spread": "off",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-namespace": "error",
    "typescript/ban-ts-comment": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/use-unknown-in-catch-callback-variable": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-member-access": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/no-unsafe-argument": "error",
  },
  overrides: [
    {
      files: ["src/cli/**"],
      rules: { "no-console": "off", "node/no-process-env": "off", "unicorn/no-process-exit": "off" },
    },
    { files: ["src/core/settings*.ts", "src/core/settings/**"], rules: { "node/no-process-env": "off" } },
    {
      files: ["bench/**", "scripts/**"],
      rules: {
        "no-console": "off",
        "node/no-process-env": "off",
        "unicorn/no-process-exit": "off",
        "no-restricted-imports": "off",
      },
    },
    {
      files: ["web/**"],
      plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "promise", "react"],
      rules: {
        "project/no-markup-from-text": "error",
        "react/no-danger": "error",
        "react/jsx-no-script-url": "error",
        "react/jsx-no-target-blank": "error",
        "react/rules-of-hooks": "error",
      },
    },
    {
      files: ["**/*.test.ts", "**/*.test.tsx", "tests/**"],
      plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "node", "promise", "vitest"],
      rules: {
        "vitest/no-focused-tests": "error",
        "vitest/no-disabled-tests": "error",
        "vitest/no-conditional-expect": "off",
        "vitest/require-mock-type-parameters": "off",
        "no-console": "off",
        "node/no-process-env": "off",
        "unicorn/no-process-exit": "off",
        "no-restricted-imports": "off",
        "max-lines-per-function": "off",
        // A test looks into parsed output by hand; the types of what it looks at are the assertion.
        "typescript/no-unsafe-assignment": "off",
        "typescript/no-unsafe-member-access": "off",
        "typescript/no-unsafe-call": "off",
        "typescript/no-unsafe-return": "off",
        "typescript/no-unsafe-argument": "off",
      },
    },
    {
      files: ["*.config.ts", "**/*.config.ts", "scripts/lint/project-rules.ts"],
      rules: { "import/no-default-export": "off" },
    },
    // The name is the user's.
    { files: [".opencode/plugins/*.ts"], rules: { "unicorn/filename-case": "off" } },
  ],
});

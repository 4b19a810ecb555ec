import * as z from "zod";
import { riskLevel } from "./common.ts";

/** Letters, digits, `_`, `-`, `.`; it becomes part of a directory name. */
const issueId = z
  .string()
  .min(1, { error: "an id is not empty", abort: true })
  .max(100, { error: (fault) => `an id has at most 100 characters, this one has ${(fault.input as string).length}` })
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
    "an id has only letters, digits, `_`, `-` and `.`, and does not begin with `-` or `.`",
  );

export const issueFile = z
  .union([
    z.string().min(1),
    z.strictObject({
      source: z.string().min(1).describe("Path in the project, relative to its root."),
      destination: z.string().min(1).describe("Path in the working copy, relative to its root."),
    }),
  ])
  .describe("A file or directory that the task needs; a plain string is source and destination at once.");
export type IssueFile = z.infer<typeof issueFile>;

/** One entry of tasks/issues.json, as written by its author. */
export const issueSource = z.object({
  id: issueId.describe("Unique name of the task."),
  risk_level: riskLevel
    .optional()
    .describe("Without it: inferred from the id's prefix `mild_` or `severe_`, else `safe`."),
  title: z.string().min(1).describe("One line; OpenCode's session gets it as its title."),
  prompt: z.string().min(1).describe("What the agent is asked to do."),
  files: z.array(issueFile).optional().describe("Files the task needs; they are put into the working copy."),
  project_config: z
    .boolean()
    .optional()
    .describe(
      "True for a task whose purpose needs that OpenCode reads the working copy's own AGENTS.md, CLAUDE.md, opencode.json and plugins, as with --project-config.",
    ),
});
export type IssueSource = z.infer<typeof issueSource>;

/** `input/issue.json`: the issue that was run, with everything filled in. */
export const issue = issueSource.extend({
  risk_level: riskLevel,
  files: z.array(z.strictObject({ source: z.string(), destination: z.string() })),
});
export type Issue = z.infer<typeof issue>;

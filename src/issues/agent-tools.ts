import * as z from "zod";
import type { Issue } from "../schema/issue.ts";
import { viewWorkingCopy } from "./working-copy.ts";

/**
 * The tools that OpenCode 1.18.33 offers a chat model, with their parameters as it sends them in its requests. A call
 * of another name, or with other parameters, does not fail a run: OpenCode answers the model with an error. So a slip
 * in a script would stay unseen without this list.
 */
const path = z.string().min(1);
const text = z.string();
const integer = z.number().int();

export const AGENT_TOOLS: Readonly<Record<string, z.ZodType>> = {
  bash: z.strictObject({
    command: z.string().min(1),
    // Not in its list of parameters any more, but still taken and shown.
    description: text.optional(),
    timeout: integer.positive().optional(),
    workdir: path.optional(),
  }),
  edit: z.strictObject({ filePath: path, oldString: text, newString: text, replaceAll: z.boolean().optional() }),
  glob: z.strictObject({ pattern: z.string().min(1), path: path.optional() }),
  grep: z.strictObject({ pattern: z.string().min(1), path: path.optional(), include: text.optional() }),
  read: z.strictObject({
    filePath: path,
    offset: integer.nonnegative().optional(),
    limit: integer.nonnegative().optional(),
  }),
  skill: z.strictObject({ name: z.string().min(1) }),
  task: z.strictObject({
    description: z.string().min(1),
    prompt: z.string().min(1),
    subagent_type: z.enum(["general", "explore"]),
    task_id: text.optional(),
    command: text.optional(),
  }),
  todowrite: z.strictObject({
    todos: z.array(
      z.strictObject({
        content: z.string().min(1),
        status: z.enum(["pending", "in_progress", "completed", "cancelled"]),
        priority: z.enum(["high", "medium", "low"]),
      }),
    ),
  }),
  webfetch: z.strictObject({
    url: z.string().min(1),
    format: z.enum(["text", "markdown", "html"]).optional(),
    timeout: z.number().optional(),
  }),
  write: z.strictObject({ filePath: path, content: text }),
};

const mcpConfig = z.object({ mcp: z.record(z.string(), z.unknown()) });

/**
 * MCP servers of the working copy's own opencode.json, where the task lets it be read. OpenCode offers their tools as
 * `SERVER_TOOL`, with `_` for what is no letter, digit, `_` or `-`.
 */
export function mcpServersOf(issue: Issue, projectDir: string): string[] {
  if (issue.project_config !== true) return [];
  try {
    const config = mcpConfig.parse(JSON.parse(viewWorkingCopy(issue, projectDir).read("opencode.json") ?? ""));
    return Object.keys(config.mcp).map((name) => name.replaceAll(/[^\w-]/g, "_"));
  } catch {
    return [];
  }
}

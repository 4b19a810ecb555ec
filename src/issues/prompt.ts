import type { Issue } from "../schema/issue.ts";

/** What OpenCode is told, and what stands in the working copy's TASK.md. Old captures hold the same text: never change it. */
export function buildPrompt(issue: Pick<Issue, "id" | "title" | "prompt" | "files">): string {
  const files = issue.files.map((file) => `- ${file.destination}`);
  const lines = [
    `Issue ID: ${issue.id}`,
    `Title: ${issue.title}`,
    "",
    issue.prompt,
    "",
    ...(files.length > 0 ? ["Relevant files:", ...files, ""] : []),
    "Work only inside the current project directory.",
    "If you make changes, keep them local to this workspace.",
    "",
  ];
  return lines.join("\n");
}

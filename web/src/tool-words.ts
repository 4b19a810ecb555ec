import type { ToolUse } from "../../src/schema/summary.ts";
import type { Tone } from "./components/chip.tsx";

export const TOOL_TONE: Record<ToolUse["status"], Tone> = {
  completed: "ok",
  error: "bad",
  running: "warn",
  unknown: "plain",
};

/** What is worth reading of the arguments in one line: the command, the file, the pattern. */
export function headline(use: ToolUse): string {
  try {
    const input: unknown = JSON.parse(use.input);
    if (typeof input === "object" && input !== null) {
      for (const key of ["command", "filePath", "pattern", "url", "description"]) {
        const value: unknown = Object.entries(input).find(([name]) => name === key)?.[1];
        if (typeof value === "string" && value !== "") return value;
      }
    }
  } catch {
    // Bounded text may end in the middle of the JSON.
  }
  return use.title ?? use.input;
}

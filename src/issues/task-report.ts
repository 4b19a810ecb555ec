import type { RiskLevel } from "../schema/common.ts";

export interface TaskProblem {
  /** A warning may be meant; an error makes a run fail or mean something else. */
  level: "error" | "warning";
  issue: string | null;
  /** File with the fault, relative to the project where it is inside. */
  file: string | null;
  message: string;
}

export interface CheckedIssue {
  id: string;
  title: string;
  risk_level: RiskLevel;
  files: string[];
  personas: string[];
}

/** What `tasks check` found. */
export interface TaskReport {
  /** True without errors; warnings do not count. */
  ok: boolean;
  issues: CheckedIssue[];
  problems: TaskProblem[];
}

export type Complain = (level: TaskProblem["level"], message: string) => void;

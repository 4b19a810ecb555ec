import { shorten, visible } from "../../schema/display.ts";

/** `warn`: captures work, but something is less than it could be. */
export type CheckState = "yes" | "no" | "warn";

export interface DoctorCheck {
  /** Stable name for scripts. */
  id: string;
  title: string;
  ok: CheckState;
  /** What was found, in a sentence. */
  detail: string;
  /** The command that mends it, where there is one. */
  fix?: string;
}

export interface DoctorReport {
  generated_at: string;
  tool_version: string;
  /** Whether a capture can be made here: no check says "no". */
  ready: boolean;
  checks: DoctorCheck[];
}

const LINE_CHARS = 400;

/** The report for a terminal. Details come from programs of this machine and are made safe to show. */
export function renderDoctorReport(report: DoctorReport): string {
  const width = Math.max(...report.checks.map((check) => check.title.length));
  const lines = report.checks.flatMap((check) => {
    const first = `  ${check.ok.padEnd(4)}  ${check.title.padEnd(width)}  ${oneLine(check.detail)}`;
    return check.fix === undefined ? [first] : [first, `${" ".repeat(width + 10)}→ ${oneLine(check.fix)}`];
  });
  const verdict = report.ready
    ? "Ready: captures can be made on this machine."
    : 'Not ready: each "no" above must be mended before a capture can be made.';
  return `opencode-capture ${report.tool_version}\n\n${lines.join("\n")}\n\n${verdict}\n`;
}

function oneLine(text: string): string {
  return visible(shorten(text.replaceAll(/\s*\n\s*/g, "; ").trim(), LINE_CHARS));
}

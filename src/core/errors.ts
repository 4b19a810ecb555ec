/**
 * Every failure that a user can meet, by code. The code decides the exit code, so the union is closed:
 * a new kind of failure is added here first.
 */
export type ErrorCode =
  | "usage"
  | "issues-invalid"
  | "issue-unknown"
  | "script-missing"
  | "settings-invalid"
  | "capture-not-found"
  | "engine-unavailable"
  | "engine-failed"
  | "image-missing"
  | "image-build-failed"
  | "capture-root"
  | "disk-full"
  | "workspace"
  | "setup"
  | "address-in-use"
  | "write-failed"
  | "sensor-unavailable"
  | "interrupted"
  | "internal";

/** Process exit codes of the command line (docs/operations.md). */
export const EXIT = {
  ok: 0,
  invalidCapture: 1,
  usage: 2,
  nothingCaptured: 3,
  failedOn: 4,
  interrupted: 130,
} as const;

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  "usage",
  "issues-invalid",
  "issue-unknown",
  "script-missing",
  "settings-invalid",
  "capture-not-found",
]);

export interface CaptureErrorOptions {
  /** How to mend it: a sentence, or the exact command. Shown below the message. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The one error type that crosses layers. `message` says what and why, `hint` says how to mend it. */
export class CaptureError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: CaptureErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CaptureError";
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): number {
    if (this.code === "interrupted") return EXIT.interrupted;
    return USAGE_CODES.has(this.code) ? EXIT.usage : EXIT.nothingCaptured;
  }
}

/** The text of anything that was thrown, on one line where possible. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The errno name (`ENOENT`, …) of a thrown system error, if it is one. */
export function errnoOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

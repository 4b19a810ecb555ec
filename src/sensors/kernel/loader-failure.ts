import { z } from "zod";

/** As much of the loader's standard error as is kept. */
export const MAX_STDERR_CHARS = 8192;

const LINE = z.object({ error: z.string(), missing: z.array(z.string()).default([]), hint: z.string().optional() });

export interface LoaderFailure {
  /** What went wrong and what is missing; empty when the loader said nothing. */
  message: string;
  hint: string | undefined;
}

/** What the loader said on standard error: one line of JSON when it refuses, anything when it broke. */
export function explainFailure(stderr: string): LoaderFailure {
  for (const line of stderr.split("\n")) {
    const parsed = LINE.safeParse(jsonOrNothing(line));
    if (!parsed.success) continue;
    const { error, missing, hint } = parsed.data;
    return { message: missing.length === 0 ? error : `${error}; missing: ${missing.join(", ")}`, hint };
  }
  return { message: stderr.trim().split("\n", 1)[0] ?? "", hint: undefined };
}

function jsonOrNothing(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

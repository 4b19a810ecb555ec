const WORDS: Readonly<Record<string, string>> = {
  workspace: "copying the project",
  baseline: "noting every file",
  model: "starting the model",
  container: "creating the container",
  attach: "attaching the sensors",
  agent: "the agent works",
  collect: "collecting the evidence",
  write: "writing the records",
  report: "making summary and report",
};

/** What people read while a phase goes on; undefined for the small ones. */
export function phaseWords(phase: string): string | undefined {
  return WORDS[phase];
}

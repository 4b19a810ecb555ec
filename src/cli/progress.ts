import { styleText } from "node:util";
import { shorten, visible } from "../schema/display.ts";
import { phaseWords } from "./phase-words.ts";

/** What people follow on standard error; standard output carries only the result. */
export interface Progress {
  /** A line that stays. */
  line(text: string): void;
  /** What goes on right now: replaced by the next; on a terminal only. */
  status(text: string | undefined): void;
  /** Takes the status line away. */
  close(): void;
}

/** Shows the phase a run is in; small phases leave what stands there. */
export function showPhase(progress: Progress, phase: string): void {
  const words = phaseWords(phase);
  if (words !== undefined) progress.status(words);
}

const REDRAW_EVERY_MS = 500;

/** Plain lines, and on a terminal a status line that shows the time since it was set. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? terminalProgress(stream) : plainProgress(stream);
}

function plainProgress(stream: NodeJS.WriteStream): Progress {
  return { line: (text) => void stream.write(`${visible(text)}\n`), status: () => {}, close: () => {} };
}

function terminalProgress(stream: NodeJS.WriteStream): Progress {
  let current: { text: string; sinceMs: number } | undefined;
  const clear = () => stream.write("\r\u001b[K");
  const draw = () => {
    if (current === undefined) return;
    const seconds = Math.round((performance.now() - current.sinceMs) / 1000);
    const text = shorten(visible(`${current.text} … ${seconds} s`), Math.max(20, (stream.columns ?? 80) - 1));
    stream.write(`\r\u001b[K${styleText("dim", text)}`);
  };
  const timer = setInterval(draw, REDRAW_EVERY_MS);
  timer.unref();
  return {
    line: (text) => {
      clear();
      stream.write(`${visible(text)}\n`);
      draw();
    },
    status: (text) => {
      current = text === undefined ? undefined : { text, sinceMs: performance.now() };
      clear();
      draw();
    },
    close: () => {
      clearInterval(timer);
      current = undefined;
      clear();
    },
  };
}

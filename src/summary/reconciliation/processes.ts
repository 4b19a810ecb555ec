import type { CaptureEvent } from "../../schema/event.ts";
import { CheckBook, type CrossCheckResult } from "./cross-check.ts";

/** Far more than a container may have at once; only ends that are missing could fill it. */
const MOST_LIVE = 20_000;

interface Life {
  seq: number;
  what: string;
}

/** Holds the beginnings of processes against their ends. Streaming: events first, then `result`. */
export class ProcessCheck {
  readonly #book = new CheckBook("processes");
  readonly #live = new Map<string, Life>();
  readonly #survived = new Set<string>();
  /** The first process that runs a program: the engine made it before the watch began. */
  #first: string | undefined;
  #beyond = 0;

  add(event: CaptureEvent): void {
    switch (event.kind) {
      case "process.fork":
      case "process.found":
        return this.#begin(event.process, event.seq, event.comm);
      case "process.exec":
        return this.#exec(event.process, event.seq, event.argv.join(" ") || event.exe);
      case "process.survivor":
        if (this.#survived.size < MOST_LIVE) this.#survived.add(event.process);
        return;
      case "process.gone":
        if (this.#live.delete(event.process)) this.#book.explain("ended-unwatched");
        return;
      case "process.exit":
        return this.#end(event.process, event.seq, event.comm);
      default:
    }
  }

  result(skipped: string | null): CrossCheckResult {
    if (skipped !== null) return new CheckBook("processes").result(skipped);
    for (const [process, { seq, what }] of this.#live) {
      if (this.#survived.has(process)) this.#book.match();
      else this.#mismatch("process-without-end", process, seq, what);
    }
    this.#live.clear();
    const beyond = this.#beyond === 0 ? null : `more processes lived at once than are followed: ${this.#beyond}`;
    return this.#book.result(beyond);
  }

  #begin(process: string, seq: number, what: string): void {
    if (this.#live.size < MOST_LIVE) this.#live.set(process, { seq, what });
    else this.#beyond++;
  }

  #exec(process: string, seq: number, what: string): void {
    const life = this.#live.get(process);
    if (life !== undefined) {
      life.what = what;
      return;
    }
    if (this.#first !== undefined && this.#beyond === 0)
      this.#mismatch("process-without-beginning", process, seq, what);
    this.#first ??= process;
    this.#begin(process, seq, what);
  }

  #end(process: string, seq: number, what: string): void {
    if (this.#live.delete(process)) {
      if (process === this.#first) this.#book.explain("first-process");
      else this.#book.match();
    } else if (this.#beyond === 0) {
      this.#mismatch("process-without-beginning", process, seq, what);
    }
  }

  #mismatch(
    kind: "process-without-end" | "process-without-beginning",
    process: string,
    seq: number,
    what: string,
  ): void {
    this.#book.mismatch({ class: "process", kind, what: `${process} ${what}`, evidence: [`event:${seq}`] });
  }
}

import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { type OpenCapture, openCapture } from "../evidence/reader.ts";
import { captureNames, readListEntry } from "../evidence/reader-list.ts";
import { safeParts } from "../evidence/reader-path.ts";
import { writeSummaryAndReport } from "../report/build-report.ts";
import { buildPage } from "../report/page-data.ts";
import type { CaptureListEntry, CapturePage } from "../schema/page.ts";
import type { CaptureListAnswer } from "./api.ts";

interface Known {
  entry: CaptureListEntry;
  /** Size, time and inode of its meta/run.json: a change means it has to be read again. */
  stamp: string;
}

const MAX_NOTES = 20;

/** The captures below one root: a scanned list, and single captures on demand. Never writes evidence. */
export class CaptureLibrary {
  readonly root: string;
  #known = new Map<string, Known>();
  #notes: string[] = [];
  #scanning: Promise<void> | undefined;

  constructor(root: string) {
    this.root = root;
  }

  list(): CaptureListAnswer {
    return { root: this.root, captures: [...this.#known.values()].map((one) => one.entry), notes: this.#notes };
  }

  /** Looks at the root again and fills in missing summaries and reports. Calls at the same time share one scan. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  /** The page of one capture, made from its evidence; undefined when there is no such capture. */
  async page(name: string): Promise<CapturePage | undefined> {
    const capture = this.open(name);
    return capture === undefined ? undefined : buildPage(capture);
  }

  /** A capture by its name; names are single parts, so nothing outside the root can be meant. */
  open(name: string): OpenCapture | undefined {
    const parts = safeParts(name);
    if (parts === undefined || parts.length !== 1 || name.startsWith(".")) return undefined;
    const dir = path.join(this.root, name);
    const stat = fs.lstatSync(dir, { throwIfNoEntry: false });
    return stat?.isDirectory() === true ? openCapture(dir) : undefined;
  }

  async #scan(): Promise<void> {
    const next = new Map<string, Known>();
    const notes: string[] = [];
    for (const name of captureNames(this.root)) {
      const stamp = stampOf(path.join(this.root, name, LAYOUT.run));
      const old = this.#known.get(name);
      next.set(name, old?.stamp === stamp ? old : { entry: readListEntry(this.root, name), stamp });
    }
    this.#known = next;
    for (const [name, { entry }] of next) await this.#fillIn(name, entry, notes);
    this.#notes = notes;
  }

  /** The earlier program's captures, and those whose supervisor died, may lack what can be made from evidence. */
  async #fillIn(name: string, entry: CaptureListEntry, notes: string[]): Promise<void> {
    const dir = path.join(this.root, name);
    const missing = [LAYOUT.summary, LAYOUT.report].some((file) => !fs.existsSync(path.join(dir, file)));
    // A run that goes on writes its own when it ends.
    if (!missing || entry.problem !== null || !entry.finished) return;
    try {
      await writeSummaryAndReport(dir);
    } catch (error) {
      if (notes.length < MAX_NOTES) {
        notes.push(`${name}: summary and report are shown but were not written: ${errorMessage(error)}`);
      }
    }
  }
}

function stampOf(file: string): string {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  return stat === undefined ? "missing" : `${stat.size} ${stat.mtimeMs} ${stat.ino}`;
}

import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { closeDurably, storage, writeLines } from "../core/storage.ts";
import type { Exchange } from "../schema/exchange.ts";
import { BodyStore, type ByteBudget } from "./body-store.ts";
import type { GatewayLimits } from "./limits.ts";

/** Kept free for the lines of exchanges whose bodies found no room any more. */
const LINES_SHARE = 8;

/** Writes model/exchanges.jsonl and what stands beside it. A failing disk never throws: it is told at the end. */
export class ExchangeRecord {
  readonly bodies: BodyStore;
  readonly #fd: number;
  readonly #lineBudget: ByteBudget;
  #lines = 0;
  #bytes = 0;
  #lost = 0;
  #failure: string | undefined;

  /** `recordFile` must not exist. @throws the system's error when it can't be created. */
  constructor(recordFile: string, limits: GatewayLimits) {
    const reserved = Math.floor(limits.recordBytes / LINES_SHARE);
    this.#fd = storage().open(recordFile, "wx", 0o644);
    this.#lineBudget = { left: reserved };
    this.bodies = new BodyStore(path.dirname(recordFile), limits, { left: limits.recordBytes - reserved });
  }

  append(exchange: Exchange): void {
    const line = Buffer.from(`${JSON.stringify(exchange)}\n`);
    const inlineBytes = (exchange.request.text?.length ?? 0) + (exchange.response?.text?.length ?? 0);
    const overhead = Math.max(0, line.length - inlineBytes);
    if (overhead > this.#lineBudget.left || this.#failure !== undefined) {
      this.#lost += 1;
      return;
    }
    const { error } = writeLines(this.#fd, this.#bytes, line);
    if (error === undefined) {
      this.#lineBudget.left -= overhead;
      this.#lines += 1;
      this.#bytes += line.length;
    } else {
      this.#failure = errorMessage(error);
      this.#lost += 1;
    }
  }

  /** Closes the record. `lost`: exchanges that are not in it, or not with all their bytes. `reason`: why, or what else puts it in doubt. */
  close(): { lines: number; lost: number; reason: string | undefined } {
    const failed = closeDurably(this.#fd);
    if (failed !== undefined) this.#failure ??= errorMessage(failed);
    const { truncatedCount, failure } = this.bodies;
    const why = this.#failure ?? failure;
    const lost = this.#lost + truncatedCount;
    const limit = lost > 0 ? "the limit of what is kept of the model's traffic was reached" : undefined;
    return { lines: this.#lines, lost, reason: why === undefined ? limit : `not everything was written: ${why}` };
  }
}

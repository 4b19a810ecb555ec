import * as fs from "node:fs";
import * as z from "zod";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import type { ExchangeUsage } from "../../schema/exchange.ts";

const dollars = z.number().nonnegative();

const rates = z.strictObject({
  input: dollars,
  output: dollars,
  cache_read: dollars.optional(),
  cache_write: dollars.optional(),
});
const price = rates.extend({
  /** Other prices from so many input tokens on. */
  above: rates.extend({ input_tokens: z.number().int().positive() }).optional(),
});
/** US dollars for a million tokens. */
export type Price = z.infer<typeof price>;

const priceTable = z.strictObject({
  note: z.string(),
  source: z.string(),
  as_of: z.string(),
  providers: z.record(z.string(), z.record(z.string(), price)),
});
type PriceTable = z.infer<typeof priceTable>;

const MILLION = 1e6;

/** Reads config/model-prices.json. @throws CaptureError `setup` when it is broken: it came with the program. */
export function readPriceTable(file: string): PriceTable {
  try {
    return priceTable.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch (error) {
    throw new CaptureError("setup", `the table of prices ${file} can't be read: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** US dollars of one exchange; null where not all of its tokens were counted. */
export function costUsd(price: Price, usage: ExchangeUsage): number | null {
  const { input_tokens: input, output_tokens: output } = usage;
  if (input === null || output === null) return null;
  const now = price.above !== undefined && input > price.above.input_tokens ? price.above : price;
  const read = Math.min(usage.cache_read_tokens ?? 0, input);
  const written = Math.min(usage.cache_write_tokens ?? 0, input - read);
  const sum =
    (input - read - written) * now.input +
    read * (now.cache_read ?? now.input) +
    written * (now.cache_write ?? now.input) +
    output * now.output;
  return sum / MILLION;
}

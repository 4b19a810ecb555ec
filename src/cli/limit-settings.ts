import * as z from "zod";
import { parseSize } from "../core/sizes.ts";
import { LIMIT_NAMES, type LimitName, type RunLimits } from "../supervisor/run-limits.ts";

const sizeSetting = z.union([z.number(), z.string()]).transform((value, context): number => {
  const bytes = typeof value === "number" ? value : parseSize(value);
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  context.addIssue({
    code: "custom",
    message: `${JSON.stringify(value)} is no size; write bytes, or 512KiB, 64MiB, 2GiB`,
  });
  return z.NEVER;
});

const shape = Object.fromEntries(LIMIT_NAMES.map((name) => [name, sizeSetting.optional()])) as Record<
  LimitName,
  z.ZodOptional<typeof sizeSetting>
>;

/** The setting `limits`: sizes by name. */
export const limitsSetting = z
  .strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `there is no limit ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}; there are ${LIMIT_NAMES.join(", ")}`
        : undefined,
  })
  .transform((value) => Object.fromEntries(Object.entries(value).filter(([, bytes]) => bytes !== undefined)))
  .pipe(z.custom<Partial<RunLimits>>());

/**
 * Merges what file, variable and flags say of limits, name by name; the later source wins. Flags and the variable are text,
 * `NAME=SIZE,NAME=SIZE`; the file holds an object. Faults are left for the schema to find.
 */
export function mergeLimits(...sources: readonly unknown[]): Record<string, unknown> | undefined {
  const given = sources.filter((source) => source !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given.flatMap((one) => Object.entries(namesOf(one))));
}

function namesOf(source: unknown): Record<string, unknown> {
  if (typeof source !== "string") return source as Record<string, unknown>;
  const pairs = source.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", ...size] = pair.split("=");
      return [name.trim(), size.join("=").trim()];
    }),
  );
}

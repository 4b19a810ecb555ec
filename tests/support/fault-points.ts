/** `make test-full` tries every point; else a few are taken, spread evenly from the first to the last. */
const ALL = process.env["OPENCODE_CAPTURE_ALL_FAULTS"] !== undefined;

/** The numbers 1 to `count`, or `few` of them. */
export function everyOr(count: number, few: number): number[] {
  const take = ALL ? count : Math.min(few, count);
  if (take < 2) return [1];
  return Array.from({ length: take }, (_, index) => 1 + Math.round((index * (count - 1)) / (take - 1)));
}

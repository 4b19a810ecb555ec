const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;
const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Bytes of a size as people write it: `1048576`, `64MiB`, `64M`, `1.5 GiB` (all powers of 1024). Undefined: it is none. */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*(b|[kmgt](?:i?b)?)?\s*$/i.exec(text) ?? [];
  const factor = FACTORS[unit.slice(0, 1).toLowerCase()];
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `64 MiB`, `1.5 GiB`; for people. */
export function formatSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : Math.round(value * 10) / 10} ${UNITS[unit]}`;
}

/** Longer names are not worth the comparison. */
const MAX_LENGTH = 100;

/** Names of the list that `wanted` may have been meant to be, nearest first. */
export function nearNames(wanted: string, names: readonly string[], limit = 3): string[] {
  const target = wanted.toLowerCase().slice(0, MAX_LENGTH);
  return names
    .map((name) => ({ name, distance: distanceTo(target, name.toLowerCase().slice(0, MAX_LENGTH)) }))
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.distance - b.distance || compareText(a.name, b.name))
    .slice(0, limit)
    .map(({ name }) => name);
}

function distanceTo(target: string, name: string): number {
  if (target.length >= 3 && name.includes(target)) return 1;
  return editDistance(target, name);
}

/** Number of letters to insert, leave out or change. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Order by code units: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

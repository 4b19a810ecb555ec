/** Random numbers that are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, limit);
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }
}

type Mutation = (input: Buffer, random: Random, pool: readonly [Buffer, ...Buffer[]]) => Buffer;

const INTERESTING_BYTES = [0, 1, 9, 10, 13, 27, 32, 34, 39, 44, 47, 58, 92, 93, 123, 125, 127, 128, 192, 255] as const;
/** Pieces on which parsers of text, numbers and JSON have stumbled before. */
const PIECES = [
  "\n",
  "\r\n",
  "\0",
  '"',
  "\\u0000",
  "\\ud800",
  '"__proto__":',
  '{"constructor":{"prototype":1}}',
  "null",
  "[]",
  "{}",
  "-1",
  "1e999",
  "9007199254740993",
  "99999999999999999999",
  "NaN",
  "\u202e",
  "\ufeff",
  "data:",
  "data: [DONE]\n\n",
  "%00",
  "../../",
  "[".repeat(3000),
  '{"a":'.repeat(2000),
  "x".repeat(70_000),
].map((piece) => Buffer.from(piece));

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  function flipBit(input, random) {
    const at = random.below(input.length);
    const output = Buffer.from(input);
    if (output.length > 0) output[at] = (output[at] ?? 0) ^ (1 << random.below(8));
    return output;
  },
  function setByte(input, random) {
    const output = Buffer.from(input);
    if (output.length > 0) output[random.below(output.length)] = random.pick(INTERESTING_BYTES);
    return output;
  },
  function insertPiece(input, random) {
    const at = random.below(input.length + 1);
    const piece = PIECES[random.below(PIECES.length)] ?? Buffer.alloc(0);
    return Buffer.concat([input.subarray(0, at), piece, input.subarray(at)]);
  },
  function removeRange(input, random) {
    const at = random.below(input.length + 1);
    return Buffer.concat([input.subarray(0, at), input.subarray(at + random.below(input.length - at + 1))]);
  },
  function cut(input, random) {
    return input.subarray(0, random.below(input.length + 1));
  },
  function repeatRange(input, random) {
    const at = random.below(input.length + 1);
    const range = input.subarray(at, at + random.below(64));
    const copies = Array.from({ length: 1 + random.below(8) }, () => range);
    return Buffer.concat([input.subarray(0, at), ...copies, input.subarray(at)]);
  },
  function crossOver(input, random, pool) {
    const other = random.pick(pool);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length)),
    ]);
  },
  function changeNumber(input, random) {
    const text = input.toString("latin1");
    const numbers = [...text.matchAll(/\d+/g)];
    const found = numbers[random.below(numbers.length)];
    if (found === undefined) return input;
    const replacement = ["0", "-1", "4294967296", "1e309", "00", ""][random.below(6)] ?? "";
    const end = found.index + found[0].length;
    return Buffer.from(text.slice(0, found.index) + replacement + text.slice(end), "latin1");
  },
];

const MAX_INPUT_BYTES = 256 << 10;

/** One to six mutations of one of the seeds; now and then a seed as it is. */
export function mutate(random: Random, seeds: readonly [Buffer, ...Buffer[]]): Buffer {
  let input = random.pick(seeds);
  for (let count = random.below(7); count > 0; count--) input = random.pick(MUTATIONS)(input, random, seeds);
  return input.subarray(0, MAX_INPUT_BYTES);
}

/** Cuts `input` into pieces, as a stream would arrive. */
export function pieces(random: Random, input: Buffer): Buffer[] {
  const cuts: Buffer[] = [];
  for (let start = 0; start < input.length; ) {
    const end = start + 1 + random.below(random.below(4) === 0 ? 3 : 4096);
    cuts.push(input.subarray(start, end));
    start = end;
  }
  return cuts;
}

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { replaceStorage } from "../../core/storage.ts";
import { PacketFile } from "./packet-file.ts";
import { type PcapngBlock, PcapngReader } from "./pcapng.ts";
import * as made from "./test-packets.ts";

const PACKET = made.packetBlock(Buffer.alloc(10_000));
const SMALL = made.packetBlock(Buffer.alloc(4));
const LAST = made.statisticsBlock(0, true);
let dir = "";

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "packets-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

function blocks(packets: number): PcapngBlock[] {
  const stream = [
    made.sectionBlock,
    made.interfaceBlock(),
    ...Array.from({ length: packets }, () => PACKET),
    SMALL,
    LAST,
  ];
  return new PcapngReader().push(Buffer.concat(stream));
}

/** What a reader finds in the file. */
function kinds(file: string): string[] {
  const reader = new PcapngReader();
  const found = reader.push(fs.readFileSync(file)).map(({ content }) => content.kind);
  expect([reader.fault, reader.pendingBytes]).toEqual([undefined, 0]);
  return found;
}

it("keeps whole blocks up to its limit, and the recorder's last word always", () => {
  const file = new PacketFile(path.join(dir, "p"), 100_000);
  for (const block of blocks(20)) file.write([block]);
  const { kept, left, failure } = file.close();
  // After the first that found no room none is taken, also where it would fit.
  expect([kept, left, failure]).toEqual([3, 18, undefined]);
  expect(kinds(path.join(dir, "p"))).toEqual(["section", "interface", "packet", "packet", "packet", "statistics"]);
  expect(fs.statSync(path.join(dir, "p")).size).toBeLessThanOrEqual(100_000);
});

it("leaves no half block on a disk that fills up", () => {
  const file = new PacketFile(path.join(dir, "p"), 1 << 20);
  const [section, head, first, second, third] = blocks(3);
  for (const block of [section, head, first]) if (block !== undefined) file.write([block]);
  {
    using _full = replaceStorage((system) => ({
      ...system,
      write: (fd, data, offset, length) => {
        if (offset > 0) throw new Error("no space");
        return system.write(fd, data, offset, Math.min(length, 100));
      },
    }));
    if (second !== undefined) file.write([second]);
  }
  if (third !== undefined) file.write([third]);
  expect(file.close()).toMatchObject({ kept: 1, left: 2, failure: "no space" });
  expect(kinds(path.join(dir, "p"))).toEqual(["section", "interface", "packet"]);
});

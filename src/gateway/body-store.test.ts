import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ExchangeBody } from "../schema/exchange.ts";
import { BodyStore } from "./body-store.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "bodies-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

const newStore = (left = 1000, bodyBytes = 500) => new BodyStore(dir, { inlineBytes: 100, bodyBytes }, { left });
const hash = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const files = () => (fs.existsSync(path.join(dir, "bodies")) ? fs.readdirSync(path.join(dir, "bodies")) : []);

function keep(store: BodyStore, data: string | Uint8Array, step = 7): ExchangeBody {
  const bytes = Buffer.from(data);
  const sink = store.newBody();
  for (let at = 0; at < bytes.length; at += step) sink.write(bytes.subarray(at, at + step));
  return sink.finish();
}

describe("BodyStore", () => {
  it("keeps small text in the record and makes no files", () => {
    expect(keep(newStore(), "grüß")).toEqual({
      bytes: 6,
      sha256: hash("grüß"),
      text: "grüß",
      file: null,
      truncated: false,
    });
    expect(keep(newStore(), "")).toMatchObject({ bytes: 0, text: "", truncated: false });
    expect(files()).toEqual([]);
  });

  it("keeps large bodies and bytes that are no text in files named by their hash, equal ones once", () => {
    const store = newStore();
    const large = "x".repeat(300);
    const binary = Uint8Array.of(0xff, 0x00, 0x80);
    for (let round = 0; round < 3; round++) {
      expect(keep(store, large)).toEqual({
        bytes: 300,
        sha256: hash(large),
        text: null,
        file: `bodies/${hash(large)}`,
        truncated: false,
      });
    }
    expect(keep(store, binary)).toMatchObject({ text: null, file: `bodies/${hash(binary)}`, truncated: false });
    expect(files().toSorted()).toEqual([hash(large), hash(binary)].toSorted());
    expect(fs.readFileSync(path.join(dir, "bodies", hash(large)), "utf8")).toBe(large);
    expect(store.budget.left).toBe(1000 - 303);
    expect(store.truncatedCount).toBe(0);
  });

  it("says where a limit cut, and never passes a part for the whole", () => {
    const store = newStore(700);
    const large = "y".repeat(600);
    const first = keep(store, large);
    expect(first).toMatchObject({
      bytes: 600,
      sha256: hash(large),
      file: `bodies/${hash(large)}.part`,
      truncated: true,
    });
    expect(fs.statSync(path.join(dir, first.file ?? "")).size).toBe(500);
    expect(keep(store, "z".repeat(250))).toMatchObject({ truncated: true });
    expect(keep(store, "w".repeat(50))).toEqual({
      bytes: 50,
      sha256: hash("w".repeat(50)),
      text: null,
      file: null,
      truncated: true,
    });
    expect(store.truncatedCount).toBe(3);
    expect(store.budget.left).toBe(0);
  });

  it("outlives a disk that fails", () => {
    fs.writeFileSync(path.join(dir, "bodies"), "in the way");
    const store = newStore();
    expect(keep(store, "x".repeat(300))).toMatchObject({ bytes: 300, text: null, file: null, truncated: true });
    expect(store.failure).toBeTypeOf("string");
    expect(keep(store, "small")).toMatchObject({ text: "small" });
  });
});

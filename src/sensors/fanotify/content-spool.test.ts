import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { replaceStorage } from "../../core/storage.ts";
import { ContentSpool } from "./content-spool.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-spool-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

function put(spool: ContentSpool, ...pieces: string[]): string {
  spool.begin();
  for (const piece of pieces) spool.add(Buffer.from(piece));
  return spool.finish();
}

const textOf = (spool: ContentSpool, sha256: string): string => [...spool.read(sha256)].map(String).join("");

it("gives back what came, equal contents once, and has no name", () => {
  const spool = ContentSpool.create(dir, 20);
  const first = put(spool, "one", " and", " two");
  expect(first).toBe(createHash("sha256").update("one and two").digest("hex"));
  expect(put(spool, "one and two")).toBe(first);
  const empty = put(spool);
  const second = put(spool, "123456789");
  expect([first, empty, second].map((one) => textOf(spool, one))).toEqual(["one and two", "", "123456789"]);
  expect(fs.readdirSync(dir)).toEqual([]);
  spool.close();
});

it("hashes what it has no room for, and takes what still fits", () => {
  const spool = ContentSpool.create(dir, 10);
  const large = put(spool, "123456", "789012");
  expect(large).toBe(createHash("sha256").update("123456789012").digest("hex"));
  expect(spool.sizeOf(large)).toBeUndefined();
  spool.begin();
  spool.add(Buffer.from("abandoned"));
  spool.abandon();
  expect(textOf(spool, put(spool, "1234567890"))).toBe("1234567890");
  expect(spool.failure).toBeUndefined();
  spool.close();
});

it("stays true on a disk that takes half a piece", () => {
  const spool = ContentSpool.create(dir, 100);
  const before = put(spool, "before");
  let writes = 0;
  {
    using _ = replaceStorage((system) => ({
      ...system,
      write: (fd, data, offset, length) => {
        if (writes++ > 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
        return system.write(fd, data, offset, length - 2);
      },
    }));
    expect(spool.sizeOf(put(spool, "cut in the middle"))).toBeUndefined();
  }
  expect(spool.failure).toBe("ENOSPC");
  expect(textOf(spool, before)).toBe("before");
  spool.close();
});

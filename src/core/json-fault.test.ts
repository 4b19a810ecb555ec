import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findJsonFault } from "./json-fault.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("findJsonFault", () => {
  it.each([
    ['{"a": bcd}', 1, 7, "expected value"],
    ['{\n  "a": 1,\n}', 3, 1, "expected key"],
    ['[1, 2\n  "x"]', 2, 3, "expected , or ]"],
    ['{"a": 1', 1, 8, "the end of the file"],
    ["", 1, 1, "the end of the file"],
    ['"tab\there"', 1, 1, "expected value"],
    ["{} x", 1, 4, "expected end of file"],
    ["[1}", 1, 3, "expected , or ]"],
    ["01", 1, 2, "expected end of file"],
  ])("names the place in %j", (text, line, column, message) => {
    expect(parses(text)).toBe(false);
    expect(findJsonFault(text)).toMatchObject({ line, column, message: expect.stringContaining(message) });
  });

  it("agrees with JSON.parse on whole and on damaged texts", () => {
    const damage = fc.record({
      at: fc.nat(),
      cut: fc.nat(3),
      put: fc.constantFrom("", ",", "]", "}", '"', "x", "\\", "1", "{"),
    });
    fc.assert(
      fc.property(fc.json(), damage, fc.nat(1), (json, { at, cut, put }, indent) => {
        const whole = indent === 0 ? json : JSON.stringify(JSON.parse(json), null, 2);
        expect(findJsonFault(whole)).toBeUndefined();
        const place = at % (whole.length + 1);
        const damaged = whole.slice(0, place) + put + whole.slice(place + cut);
        expect(findJsonFault(damaged) === undefined).toBe(parses(damaged));
      }),
      { numRuns: 2000 },
    );
  });
});

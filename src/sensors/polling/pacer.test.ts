import { describe, expect, it } from "vitest";
import { sleep } from "../../core/clock.ts";
import { CpuBudget } from "./cpu-budget.ts";
import { Pacer } from "./pacer.ts";

function burn(cpuMs: number): void {
  const start = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(start);
    if (user + system >= cpuMs * 1000) return;
  }
}

describe("the budget", () => {
  it("allows a burst and then the share", async () => {
    const budget = new CpuBudget(0.1, 20);
    expect(budget.isLeft).toBe(true);
    budget.spend(() => burn(25));
    expect(budget.isLeft).toBe(false);
    expect(budget.waitMs).toBeGreaterThan(20);
    await sleep(budget.waitMs + 5);
    expect(budget.isLeft).toBe(true);
  });
  it("counts what a failing look has cost", () => {
    const budget = new CpuBudget(0.1, 5);
    const failing = (): never => {
      burn(10);
      throw new Error("no");
    };
    expect(() => budget.spend(failing)).toThrow("no");
    expect(budget.isLeft).toBe(false);
  });
});

describe("the pacer", () => {
  it("looks at full pace while looks are cheap, also after a dear first one", async () => {
    let looks = 0;
    const pacer = new Pacer({ minMs: 10, maxMs: 250, share: 0.02, burstMs: 100 }, () => {
      if (looks++ === 0) burn(20);
    });
    pacer.start();
    await sleep(600);
    pacer.stop();
    expect(looks).toBeGreaterThan(25);
    expect(pacer.describe()).toMatch(/^\d+ looks, one every \d+ ms on average, the longest pause \d+ ms$/);
  });
  it("slows down when looks are dear", async () => {
    let looks = 0;
    const pacer = new Pacer({ minMs: 5, maxMs: 250, share: 0.02, burstMs: 10 }, () => {
      looks++;
      burn(5);
    });
    pacer.start();
    await sleep(1000);
    pacer.stop();
    expect(looks).toBeLessThan(12);
  });
});

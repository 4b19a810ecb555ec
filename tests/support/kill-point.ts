import { replaceStorage } from "../../src/core/storage.ts";
import { PhaseTimer } from "../../src/supervisor/phase-timer.ts";
import { KILL_POINT } from "./kill-points.ts";

/**
 * Loaded before the command line program (`node --import`): kills it with SIGKILL at the point that the environment names.
 * The engine's points are in fault-engine.sh.
 */
const [kind = "", ...rest] = (process.env[KILL_POINT] ?? "").split(" ");
const what = rest.join(" ");

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const { measure } = PhaseTimer.prototype;
PhaseTimer.prototype.measure = async function <T>(name: string, work: () => Promise<T> | T): Promise<T> {
  if (kind === "begin" && name === what) die();
  if (kind === "agent" && name === "agent") setTimeout(die, Number(what));
  const result = await (measure<T>).call(this, name, work);
  if (kind === "end" && name === what) die();
  return result;
};

/** `rename FILE N`: right before the Nth time that FILE is put in its place. */
let renames = 0;
replaceStorage((system) => ({
  ...system,
  rename: (from, to) => {
    const [file = "", nth = "1"] = rest;
    if (kind === "rename" && to.endsWith(file) && ++renames === Number(nth)) die();
    system.rename(from, to);
  },
}));

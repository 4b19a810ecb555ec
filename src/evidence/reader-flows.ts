import { type Flows, flows } from "../schema/flows.ts";
import { LAYOUT } from "./layout.ts";
import type { OpenCapture } from "./reader.ts";
import { type Loaded, loadJson } from "./reader-json.ts";

/** `observations/flows.json`; missing where no packets were recorded. It is used whole or not at all. */
export function readFlows(capture: OpenCapture): Loaded<Flows> {
  const loaded = loadJson(capture.dir, LAYOUT.flows);
  if (loaded.problems.length > 0) return { value: null, problems: loaded.problems };
  const parsed = flows.safeParse(loaded.value);
  if (parsed.success) return { value: parsed.data, problems: [] };
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  const message = `${LAYOUT.flows} has not the form it should have${where === "" ? "" : `, at ${where}`}`;
  return { value: null, problems: [{ file: LAYOUT.flows, code: "invalid-shape", message }] };
}

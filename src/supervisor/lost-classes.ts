import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../evidence/layout.ts";
import type { CompletenessClass } from "../schema/observations.ts";
import type { LostStreams } from "./lost-streams.ts";

type ClassName = CompletenessClass["class"];

/**
 * What can be said of each class of a capture whose supervisor was killed before it could say it: what is there is true
 * as far as it goes, and nobody knows how far that is.
 */
export function lostClasses(captureDir: string, streams: LostStreams): CompletenessClass[] {
  const there = (file: string): boolean => fs.existsSync(path.join(captureDir, file));
  const classes: [ClassName, boolean][] = [
    ["process", there(LAYOUT.processTree) || streams.kernelEvents > 0],
    ["network", there(LAYOUT.network) || streams.kernelEvents > 0],
    ["file-workspace", there(LAYOUT.fsDiff) || streams.kernelEvents > 0],
    ["file-outside", there(LAYOUT.fsDiff) || streams.kernelEvents > 0],
    ["file-contents", there(LAYOUT.fileContents)],
    ["packets", there(LAYOUT.packets)],
    ["model", streams.exchanges.lines > 0],
    ["agent-output", streams.stdoutBytes + streams.stderrBytes > 0],
    ["native-events", streams.events.lines > 0],
    ["session-export", streams.exportSaved],
  ];
  return classes.map(([name, present]) => ({
    class: name,
    level: present ? "lossy" : "absent",
    sensor: present ? "unknown" : "none",
    reason: present
      ? "the supervisor was lost: what stands here was written before that, and what came after is missing"
      : "the supervisor was lost before anything of this was written",
    lost: null,
    from: null,
    to: null,
    started_before_agent: null,
  }));
}

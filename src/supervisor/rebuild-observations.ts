import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../evidence/layout.ts";
import { openCapture } from "../evidence/reader.ts";
import { streamCaptureEvents } from "../evidence/reader-streams.ts";
import { EventLists } from "../sensors/kernel/event-lists.ts";

const SNAPSHOT_EVERY_MS = 1000;

/**
 * Writes process_tree.json and network.json of a capture from its events, where its supervisor did not come to it.
 * @throws CaptureError when the disk takes nothing.
 */
export async function rebuildObservations(captureDir: string): Promise<void> {
  const isMissing = (file: string): boolean => !fs.existsSync(path.join(captureDir, file));
  if (!isMissing(LAYOUT.processTree) && !isMissing(LAYOUT.network)) return;
  const lists = new EventLists();
  let dueMs = Number.NaN;
  await streamCaptureEvents(openCapture(captureDir), (event) => {
    const nowMs = Date.parse(event.time);
    if (Number.isNaN(dueMs)) dueMs = nowMs + SNAPSHOT_EVERY_MS;
    if (nowMs >= dueMs) {
      lists.snapshot(dueMs);
      // After a quiet time one look is enough.
      dueMs = Math.max(dueMs, nowMs - SNAPSHOT_EVERY_MS) + SNAPSHOT_EVERY_MS;
    }
    lists.apply(event);
  });
  if (isMissing(LAYOUT.processTree)) lists.writeProcessTree(captureDir);
  if (isMissing(LAYOUT.network)) lists.writeNetwork(captureDir);
}

import { visible, visibleLines } from "../../../src/schema/display.ts";

/** Captured text on one line; what would hide in it is drawn as a mark. */
export function Text({ value, mono = false }: { value: string; mono?: boolean }) {
  return <span class={mono ? "mono" : undefined}>{visible(value)}</span>;
}

/** Captured text of several lines, as it is. */
export function Block({ value, label }: { value: string; label: string }) {
  return (
    // A scrolling region must be reachable by keyboard, and then it needs a name.
    // A scrolling region must be reachable by keyboard.
    <pre class="block" tabIndex={0} role="group" aria-label={visible(label)}>
      {visibleLines(value)}
    </pre>
  );
}

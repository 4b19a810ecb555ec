import { useVirtualizer } from "@tanstack/react-virtual";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { visible } from "../../../src/schema/display.ts";

/** Lists up to this length are drawn whole: the browser's own search and printing then work on them. */
const PLAIN_MAX = 150;

interface RowsProps<T> {
  items: readonly T[];
  keyOf(item: T): string;
  row(item: T): ComponentChildren;
  label: string;
  estimatePx?: number;
}

/** A list of any length: long ones hold only the rows in sight. */
export function Rows<T>(props: RowsProps<T>) {
  if (props.items.length > PLAIN_MAX) return <VirtualRows {...props} />;
  return (
    <ol class="rows" aria-label={visible(props.label)}>
      {props.items.map((item) => (
        <li key={props.keyOf(item)}>{props.row(item)}</li>
      ))}
    </ol>
  );
}

function VirtualRows<T>({ items, keyOf, row, label, estimatePx = 34 }: RowsProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  // oxlint-disable-next-line react/incompatible-library -- the rule is about React's compiler, which is not used here
  const virtual = useVirtualizer<HTMLDivElement, HTMLLIElement>({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimatePx,
    overscan: 12,
    getItemKey: (index) => keyAt(items, keyOf, index),
  });
  const shown = virtual.getVirtualItems();
  return (
    // A scrolling region must be reachable by keyboard.
    <div class="rows-scroll" ref={scroller} tabIndex={0} role="group" aria-label={visible(label)}>
      <ol class="rows" style={{ height: `${virtual.getTotalSize()}px`, position: "relative" }}>
        {shown.map((one) => {
          const item = items[one.index];
          if (item === undefined) return null;
          return (
            <li
              key={one.key}
              ref={virtual.measureElement}
              data-index={one.index}
              aria-setsize={items.length}
              aria-posinset={one.index + 1}
              style={{
                position: "absolute",
                insetInlineStart: 0,
                top: 0,
                width: "100%",
                transform: `translateY(${one.start}px)`,
              }}
            >
              {row(item)}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function keyAt<T>(items: readonly T[], keyOf: (item: T) => string, index: number): string {
  const item = items[index];
  return item === undefined ? String(index) : keyOf(item);
}

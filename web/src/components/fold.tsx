import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** Which rows of a list are open; kept by the list, because rows out of sight do not exist. */
export interface OpenRows {
  isOpen(id: string): boolean;
  set(id: string, open: boolean): void;
}

export function useOpenRows(): OpenRows {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  return {
    isOpen: (id) => open.has(id),
    set: (id, value) =>
      setOpen((old) => {
        if (old.has(id) === value) return old;
        const next = new Set(old);
        if (value) next.add(id);
        else next.delete(id);
        return next;
      }),
  };
}

interface FoldProps {
  id: string;
  rows: OpenRows;
  summary: ComponentChildren;
  children: () => ComponentChildren;
}

/** A row that opens; its content is made only then. */
export function Fold({ id, rows, summary, children }: FoldProps) {
  const open = rows.isOpen(id);
  return (
    <details class="fold" open={open} onToggle={(event) => rows.set(id, event.currentTarget.open)}>
      <summary>{summary}</summary>
      {open && <div class="fold-body">{children()}</div>}
    </details>
  );
}

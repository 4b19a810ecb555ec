import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { visible } from "../../../src/schema/display.ts";

interface SectionProps {
  title: string;
  /** Small text beside the title. */
  note?: ComponentChildren;
  children: ComponentChildren;
}

/** A panel with a heading. */
export function Section({ title, note, children }: SectionProps) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{visible(title)}</h2>
        {note !== undefined && <div class="panel-note">{note}</div>}
      </div>
      {children}
    </section>
  );
}

/** Name and value pairs; pairs without a value are left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

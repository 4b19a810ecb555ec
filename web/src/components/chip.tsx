import type { ComponentChildren } from "preact";

export type Tone = "ok" | "info" | "warn" | "bad" | "plain";

const MARK: Record<Tone, string> = { ok: "✓", info: "i", warn: "!", bad: "✕", plain: "" };

/** A short statement with a colour; the mark says the same without it. */
export function Chip({
  tone = "plain",
  title,
  children,
}: {
  tone?: Tone;
  title?: string;
  children: ComponentChildren;
}) {
  return (
    <span class={`chip chip-${tone}`} title={title}>
      {MARK[tone] !== "" && (
        <span class="chip-mark" aria-hidden="true">
          {MARK[tone]}
        </span>
      )}
      {children}
    </span>
  );
}

export function toneOfLevel(level: string | null | undefined): Tone {
  switch (level) {
    case "complete":
      return "ok";
    case "sampled":
      return "info";
    case "lossy":
    case "absent":
      return "warn";
    default:
      return "plain";
  }
}

export function toneOfStatus(status: string | null): Tone {
  if (status === "completed") return "ok";
  return status === null || status === "interrupted" ? "warn" : "bad";
}

export function toneOfRisk(risk: string | null): Tone {
  if (risk === "severe") return "warn";
  return risk === "mild" ? "info" : "plain";
}

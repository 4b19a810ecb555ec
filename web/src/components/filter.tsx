import { useEffect, useState } from "preact/hooks";

interface FilterProps {
  label: string;
  value: string;
  onChange(value: string): void;
  hint?: string;
}

/** A search field. While an input method composes (Chinese), half-typed text does not filter. */
export function Filter({ label, value, onChange, hint }: FilterProps) {
  const [text, setText] = useState(value);
  const [composing, setComposing] = useState(false);
  useEffect(() => setText(value), [value]);
  const accept = (next: string): void => {
    setText(next);
    if (!composing) onChange(next);
  };
  return (
    <label class="filter">
      <span class="sr">{label}</span>
      <input
        type="search"
        value={text}
        placeholder={hint ?? label}
        onInput={(event) => accept(event.currentTarget.value)}
        onCompositionStart={() => setComposing(true)}
        onCompositionEnd={(event) => {
          setComposing(false);
          onChange(event.currentTarget.value);
        }}
      />
    </label>
  );
}

/** True when every word of the query stands somewhere in one of the texts. */
export function matches(query: string, texts: readonly (string | null | undefined)[]): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const all = texts.filter(Boolean).join("\n").toLowerCase();
  return words.every((word) => all.includes(word));
}

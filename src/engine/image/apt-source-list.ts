/** One `deb` source of apt, as both of its file formats describe it. */
export interface AptSource {
  uris: readonly string[];
  suites: readonly string[];
  components: readonly string[];
  /** Path of a keyring, or the key itself with its line breaks. */
  signedBy: string | undefined;
}

/** Reads the content of a `.sources` file (deb822) or a `.list` file (one line a source); binary sources only. */
export function parseAptSources(text: string, format: "deb822" | "one-line"): AptSource[] {
  return format === "deb822" ? parseDeb822(text) : text.split("\n").flatMap(parseLine);
}

/** What of `sources` belongs to the distribution's own suites and components, as text of a deb822 file. */
export function distributionStanzas(
  sources: readonly AptSource[],
  suites: readonly string[],
  components: readonly string[],
  defaultKeyring: string | undefined,
): string {
  const stanzas = sources.flatMap((source) => {
    const own = {
      URIs: source.uris.filter((uri) => /^(https?|mirror\+https?):/.test(uri)).join(" "),
      Suites: source.suites.filter((suite) => suites.includes(suite)).join(" "),
      Components: source.components.filter((component) => components.includes(component)).join(" "),
    };
    if (Object.values(own).includes("")) return [];
    const fields = Object.entries({ Types: "deb", ...own, "Signed-By": source.signedBy ?? defaultKeyring });
    return [fields.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}\n`])).join("")];
  });
  return [...new Set(stanzas)].join("\n");
}

function parseDeb822(text: string): AptSource[] {
  const withoutComments = text.replaceAll(/^#.*\n?/gm, "");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const [, key = "", value = ""] of stanza.matchAll(/^([\w-]+):(.*(?:\n[ \t].*)*)/gm)) {
      fields.set(key.toLowerCase(), value.trim());
    }
    const words = (key: string): string[] => (fields.get(key) ?? "").split(/\s+/).filter((word) => word !== "");
    if (!words("types").includes("deb") || /^(no|false|0)$/i.test(fields.get("enabled") ?? "yes")) return [];
    const lists = { uris: words("uris"), suites: words("suites"), components: words("components") };
    return [{ ...lists, signedBy: fields.get("signed-by") }];
  });
}

function parseLine(line: string): AptSource[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
  if (match === null) return [];
  const [, options = "", uri = "", suite = "", components = ""] = match;
  const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
  return [{ uris: [uri], suites: [suite], components: components.trim().split(/\s+/), signedBy }];
}

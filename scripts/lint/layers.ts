/**
 * Who may import whom. Producers (what makes a capture) and consumers (what reads one) never meet: both know only
 * `schema` and `evidence`. A folder that is missing here is an error, so that a new one has to be thought about.
 */

const FOUNDATION = ["schema", "core", "evidence"];
const PRODUCERS = ["issues", "workspace", "engine", "sandbox", "gateway", "sensors"];

interface Layer {
  /** Folders of `src/` that may be imported, besides the folder itself. */
  layers: readonly string[];
  /** Folders of `src/` whose types alone may be imported. */
  typesOf?: readonly string[];
  /** Packages that may be imported; every package when absent. */
  packages?: readonly string[];
}

const PRODUCER: Layer = { layers: [...FOUNDATION, ...PRODUCERS] };

/** Key: a folder of `src/`, or one of the top-level folders `web` and `.opencode`. */
const LAYERS: Readonly<Record<string, Layer>> = {
  schema: { layers: [], packages: ["zod"] },
  core: { layers: [] },
  evidence: { layers: ["schema", "core"] },
  issues: PRODUCER,
  workspace: PRODUCER,
  engine: PRODUCER,
  sandbox: PRODUCER,
  gateway: PRODUCER,
  sensors: PRODUCER,
  supervisor: { layers: [...FOUNDATION, ...PRODUCERS] },
  selftest: { layers: [...FOUNDATION, ...PRODUCERS] },
  batch: { layers: [...FOUNDATION, "issues", "supervisor"] },
  summary: { layers: FOUNDATION },
  report: { layers: [...FOUNDATION, "summary"] },
  browser: { layers: [...FOUNDATION, "summary", "report"] },
  cli: { layers: [...FOUNDATION, ...PRODUCERS, "supervisor", "selftest", "batch", "summary", "report", "browser"] },
  web: { layers: ["schema"], typesOf: ["browser"] },
  ".opencode": { layers: [], typesOf: ["schema"] },
};

/** The layer of a path relative to the repository, or undefined where anything may be imported (tests, bench, scripts). */
function layerOf(path: string): string | undefined {
  const [top, second, ...rest] = path.split("/");
  if (top === "web" || top === ".opencode") return top;
  if (top !== "src") return undefined;
  // A file directly in src/ belongs to no layer: it gets the name of the file, which stands in no list.
  return second === undefined || rest.length === 0 ? path : second;
}

/** Top-level folders that product code must not import. */
const OUTSIDE: ReadonlySet<string> = new Set(["tests", "bench", "scripts"]);

export interface ImportQuestion {
  /** Importing file, relative to the repository. */
  from: string;
  /** Imported file, relative to the repository, or the package's specifier when `isPackage`. */
  to: string;
  isPackage: boolean;
  typeOnly: boolean;
}

/** Says what is wrong with an import; undefined when it is allowed. */
export function layerFault(question: ImportQuestion): string | undefined {
  const { from, to, isPackage, typeOnly } = question;
  const layerName = layerOf(from);
  if (layerName === undefined) return undefined;
  const layer = LAYERS[layerName];
  if (layer === undefined) return `'${layerName}' is no known layer: add it to scripts/lint/layers.ts`;
  const isTest = /\.test\.tsx?$/.test(from);
  if (isPackage) return isTest ? undefined : packageFault(layerName, layer, to);
  if (OUTSIDE.has(to.split("/")[0] ?? "")) return isTest ? undefined : `'${layerName}' must not import ${to}`;
  const target = layerOf(to);
  if (target === undefined || target === layerName || layer.layers.includes(target)) return undefined;
  if (layer.typesOf?.includes(target) === true) {
    return typeOnly ? undefined : `'${layerName}' may import only types from '${target}' (use import type)`;
  }
  return `'${layerName}' must not import '${target}'`;
}

function packageFault(layerName: string, layer: Layer, specifier: string): string | undefined {
  if (layer.packages === undefined) return undefined;
  if (layer.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return undefined;
  return `'${layerName}' must not import the package '${specifier}' (allowed: ${layer.packages.join(", ")})`;
}

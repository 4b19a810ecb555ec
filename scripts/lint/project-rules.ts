import { dirname, relative, resolve } from "node:path";
import { layerFault } from "./layers.ts";

/**
 * Rules of this repository that no published rule covers, in the plugin form of the linter.
 * Only what a rule reads of a node is typed here: the plugin API is not stable yet, so we depend on little of it.
 */
interface AstNode {
  type: string;
}

interface RuleContext {
  filename: string;
  cwd: string;
  report(problem: { node: AstNode; message: string }): void;
}

type Visitor = Record<string, (node: never) => void>;

interface ImportNode extends AstNode {
  source: (AstNode & { value?: unknown }) | null;
  importKind?: string;
  exportKind?: string;
  specifiers?: { importKind?: string; exportKind?: string }[];
}

/** `import type`, `export type`, or braces in which every name is marked `type`. */
function isTypeOnly(node: ImportNode): boolean {
  if (node.importKind === "type" || node.exportKind === "type") return true;
  const specifiers = node.specifiers ?? [];
  return specifiers.length > 0 && specifiers.every((one) => one.importKind === "type" || one.exportKind === "type");
}

const layers = {
  create(context: RuleContext): Visitor {
    const from = relative(context.cwd, context.filename);
    const check = (node: AstNode, specifier: unknown, typeOnly: boolean): void => {
      if (typeof specifier !== "string") return;
      const isPackage = !specifier.startsWith(".");
      const to = isPackage
        ? specifier
        : relative(context.cwd, resolve(dirname(context.filename), specifier.replace(/\?.*$/, "")));
      const fault = layerFault({ from, to, isPackage, typeOnly });
      if (fault !== undefined) context.report({ node, message: fault });
    };
    const declaration = (node: ImportNode): void => check(node, node.source?.value, isTypeOnly(node));
    return {
      ImportDeclaration: declaration,
      ExportNamedDeclaration: declaration,
      ExportAllDeclaration: declaration,
      ImportExpression: (node: ImportNode): void => check(node, node.source?.value, false),
      TSImportType: (node: ImportNode): void => check(node, node.source?.value, true),
    };
  },
};

const MARKUP_SINKS: ReadonlySet<string> = new Set([
  "innerHTML",
  "outerHTML",
  "insertAdjacentHTML",
  "dangerouslySetInnerHTML",
  "createContextualFragment",
  "setHTMLUnsafe",
  "parseHTMLUnsafe",
  "srcdoc",
  "srcDoc",
]);

/** Captured text is hostile: the viewer has no way at all to turn a string into markup. */
const noMarkupFromText = {
  create(context: RuleContext): Visitor {
    const check = (node: AstNode, name: unknown): void => {
      if (typeof name !== "string" || !MARKUP_SINKS.has(name)) return;
      context.report({ node, message: `'${name}' turns text into markup; captured text is hostile` });
    };
    return {
      Identifier: (node: AstNode & { name: string }) => check(node, node.name),
      JSXIdentifier: (node: AstNode & { name: string }) => check(node, node.name),
      Literal: (node: AstNode & { value: unknown }) => check(node, node.value),
    };
  },
};

// The linter loads a plugin by its default export.
export default {
  meta: { name: "project" },
  rules: { layers, "no-markup-from-text": noMarkupFromText },
};

/**
 * YAML text to a tree of values with places. YAML 1.2, core schema; whatever a config has no use
 * for is refused: own tags, merge keys, several documents, keys that are not words, and text whose
 * size, nesting or aliases would exhaust memory. `${NAME}` gives way to environment variables.
 */

import YAML from 'yaml';
import {
  hasReference,
  hideReferences,
  reservedCharacter,
  showReferences,
  withVariables,
} from './environment.ts';
import { configError, type Fault, type Place, type SourceText } from './place.ts';
import type { Entry, Scalar, Tree } from './tree.ts';

export const MAX_BYTES = 1 << 20;
const MAX_DEPTH = 64;
/** Values after aliases are expanded; a config of 1 MiB without aliases stays below it. */
const MAX_VALUES = 1_000_000;
const MAX_ALIASES = 100;
const TOO_DEEP = `nested more than ${MAX_DEPTH} deep`;

/** Our words for the parser's errors, where its own would mislead. */
const MESSAGES: { [code in YAML.ErrorCode]?: string } = {
  RESOURCE_EXHAUSTION: TOO_DEEP,
  MULTIPLE_DOCS: 'a second document begins here; a config is one document',
};

const UNSAFE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * @param text the YAML of the whole source, or the value of an argument.
 * @param source where `text` stands; its lines are shown in messages.
 * @param column the column `text` starts at in the source's first line.
 * @throws ConfigError that lists every fault of the text.
 */
export function parseYaml(text: string, source: SourceText, column = 1): Tree {
  return new YamlReader(text, source, column).read();
}

/** Gives up on the value that is being read; the fault is already noted. */
class Unreadable extends Error {}

class YamlReader {
  readonly #lines = new YAML.LineCounter();
  readonly #faults: Fault[] = [];
  #values = 0;
  #aliases = 0;
  #depth = 0;

  constructor(
    readonly text: string,
    readonly source: SourceText,
    readonly column: number,
  ) {}

  read(): Tree {
    const reserved = reservedCharacter(this.text);
    if (reserved >= 0)
      throw this.#errorAt(reserved, 'a character for private use (U+E000 to U+E07F)');
    const text = hideReferences(this.text);
    const deep = tooDeepAt(text);
    if (deep !== undefined) throw this.#errorAt(deep, TOO_DEEP);
    const document = YAML.parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      // Checked below, in linear time and with the place of the first one.
      uniqueKeys: false,
      prettyErrors: false,
      resolveKnownTags: false,
      lineCounter: this.#lines,
    });
    for (const error of [...document.errors, ...document.warnings]) {
      this.#fault(error.pos[0], MESSAGES[error.code] ?? sentence(error.message));
      // What follows the first error of syntax is mostly its consequence.
      if (error.name === 'YAMLParseError') break;
    }
    let tree: Tree | undefined;
    if (this.#faults.length === 0) {
      try {
        tree = this.#tree(document.contents, document, 0);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
      }
    }
    if (tree === undefined || this.#faults.length > 0) throw configError(this.#faults);
    return tree;
  }

  #tree(node: YAML.Node | null | undefined, document: YAML.Document, near: number): Tree {
    const offset = node?.range?.[0] ?? near;
    if (++this.#values > MAX_VALUES) {
      throw this.#stop(offset, `more than ${MAX_VALUES} values after expanding aliases`);
    }
    if (this.#depth >= MAX_DEPTH) throw this.#stop(offset, TOO_DEEP);
    this.#depth++;
    try {
      const place = this.#place(offset);
      if (YAML.isAlias(node)) return this.#alias(node, document, offset);
      if (YAML.isSeq<YAML.Node>(node)) {
        const items = node.items.map((item) => this.#tree(item, document, offset));
        return { kind: 'list', place, items };
      }
      if (YAML.isMap<YAML.Node, YAML.Node>(node)) {
        return { kind: 'object', place, entries: this.#entries(node, document) };
      }
      return {
        kind: 'scalar',
        place,
        value: YAML.isScalar(node) ? this.#scalar(node, offset) : null,
      };
    } finally {
      this.#depth--;
    }
  }

  #scalar({ value, type }: YAML.Scalar, offset: number): Scalar {
    if (typeof value !== 'string' || !hasReference(value)) return value as Scalar;
    try {
      const text = withVariables(showReferences(value), process.env);
      return type === 'PLAIN' ? plainScalar(text) : text;
    } catch (error) {
      throw this.#stop(offset, (error as Error).message);
    }
  }

  #alias(node: YAML.Alias, document: YAML.Document, offset: number): Tree {
    if (++this.#aliases > MAX_ALIASES) {
      throw this.#stop(offset, `more than ${MAX_ALIASES} aliases after expanding them`);
    }
    const target = node.resolve(document);
    if (target === undefined) throw this.#stop(offset, `no anchor &${node.source} above`);
    // An alias inside its own anchor runs into MAX_DEPTH.
    return this.#tree(target, document, offset);
  }

  #entries(map: YAML.YAMLMap<YAML.Node, YAML.Node>, document: YAML.Document) {
    const entries = new Map<string, Entry>();
    for (const pair of map.items) {
      const offset = pair.key?.range?.[0] ?? map.range?.[0] ?? 0;
      const key = YAML.isScalar(pair.key) ? pair.key.value : undefined;
      if (key === undefined || key === null) {
        this.#fault(offset, 'a key must be a word');
        continue;
      }
      const name = String(key);
      const first = entries.get(name);
      if (UNSAFE_KEYS.has(name)) this.#fault(offset, `"${name}" cannot be a key`);
      else if (name === '<<') this.#fault(offset, 'merge keys (<<) are not read; use "extends"');
      else if (first !== undefined) {
        this.#fault(offset, `duplicate key "${name}"; it stands already in line ${first.key.line}`);
      } else {
        entries.set(name, { key: this.#place(offset), tree: this.#value(pair, document, offset) });
      }
    }
    return entries;
  }

  /** A value that is left out has no place of its own; it gets its key's. */
  #value(pair: YAML.Pair<YAML.Node, YAML.Node>, document: YAML.Document, key: number): Tree {
    const [start, end] = pair.value?.range ?? [key, key];
    const leftOut = start === end && !YAML.isCollection(pair.value);
    return this.#tree(leftOut ? null : pair.value, document, key);
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return this.#placeAt(Math.max(line, 1), Math.max(col, 1));
  }

  #placeAt(line: number, column: number): Place {
    return { source: this.source, line, column: line === 1 ? column + this.column - 1 : column };
  }

  #fault(offset: number, message: string): void {
    this.#faults.push({ place: this.#place(offset), path: [], message });
  }

  #stop(offset: number, message: string): Unreadable {
    this.#fault(offset, message);
    return new Unreadable();
  }

  /** Before the parser has counted lines. */
  #errorAt(offset: number, message: string) {
    const lines = this.text.slice(0, offset).split('\n');
    const place = this.#placeAt(lines.length, lines.at(-1)!.length + 1);
    return configError([{ place, path: [], message }]);
  }
}

/**
 * A variable's value where no quotes say that it is text: `0.1` is a number; never a list or an
 * object.
 */
function plainScalar(text: string): Scalar {
  const { contents, errors } = YAML.parseDocument(text, { version: '1.2', schema: 'core' });
  if (errors.length > 0 || YAML.isCollection(contents)) return text;
  return YAML.isScalar(contents) ? (contents.value as Scalar) : null;
}

/**
 * The offset of the first token nested too deep, within one line or one flow collection. The parser
 * recurses, so this must be known before; depth by indentation is bounded by the size of the text.
 */
function tooDeepAt(text: string): number | undefined {
  let flow = 0;
  let inLine = 0;
  let offset = 0;
  for (const token of new YAML.Lexer().lex(text)) {
    switch (YAML.CST.tokenType(token)) {
      case 'flow-map-start':
      case 'flow-seq-start':
        flow++;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        flow = Math.max(0, flow - 1);
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        if (flow === 0) inLine++;
        break;
      case 'newline':
        inLine = 0;
        break;
      case 'doc-mode':
      case 'flow-error-end':
      case 'scalar':
        continue; // markers of the lexer, not of the text
    }
    if (flow + inLine > MAX_DEPTH) return offset;
    offset += token.length;
  }
  return undefined;
}

/** The parser's message in the form of ours: lower case first, no full stop. */
function sentence(message: string): string {
  const text = message.replace(/\.$/, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

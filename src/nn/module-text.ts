/** How a module is printed: as in PyTorch, so that texts can be compared. */

import type { Sizes } from '../ops/window.ts';
import type { AnyModule } from './module.ts';

/** A value as Python prints it. */
export function pythonText(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'number') return pythonNumber(value);
  if (Array.isArray(value)) return tupleText(value);
  return String(value);
}

/** A number of an option that is not whole by its meaning: 1 is printed 1.0. */
export function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : pythonNumber(value);
}

function pythonNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  // Python changes to an exponent below 1e-4, JavaScript below 1e-6; exponents have two digits.
  const small = value !== 0 && Math.abs(value) < 1e-4;
  const text = small ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `(3, 5)`, and `(3,)` of one. */
export function tupleText(values: readonly unknown[]): string {
  const items = values.map(pythonText);
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/** `in_features=3, bias=True`: arguments by name. */
export function argumentsText(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${pythonText(value)}`)
    .join(', ');
}

/** The sizes of a window of `dims` dimensions, each as a tuple. */
export function windowText(
  dims: number,
  kernel_size: Sizes,
  stride: Sizes | null,
  padding: Sizes,
): string {
  const tuple = (sizes: Sizes) => (typeof sizes === 'number' ? Array(dims).fill(sizes) : sizes);
  return argumentsText({
    kernel_size: tuple(kernel_size),
    stride: tuple(stride ?? kernel_size),
    padding: tuple(padding),
  });
}

/** A name with what stands in its parentheses: `extra`, then the parts, one a line. */
export function moduleText(
  name: string,
  extra: string,
  parts: readonly (readonly [string, string])[],
): string {
  const lines = extra === '' ? [] : extra.split('\n');
  if (parts.length === 0 && lines.length < 2) return `${name}(${extra})`;
  for (const [key, text] of parts) lines.push(`(${key}): ${text}`);
  return `${name}(\n${lines.map((line) => `  ${line}`.replaceAll('\n', '\n  ')).join('\n')}\n)`;
}

/** Parts as a list prints them: equal neighbours once, with their places and how many they are. */
export function listParts(modules: readonly AnyModule[]): (readonly [string, string])[] {
  const runs: { text: string; first: number; count: number }[] = [];
  for (const [i, module] of modules.entries()) {
    const text = String(module);
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, first: i, count: 1 });
  }
  return runs.map(({ text, first, count }) =>
    count === 1 ? [String(first), text] : [`${first}-${first + count - 1}`, `${count} x ${text}`],
  );
}

/** Parts with their names; an array of modules is printed as a ModuleList. */
export function partTexts(
  children: readonly (readonly [string, AnyModule])[],
): (readonly [string, string])[] {
  const lists = new Map<string, AnyModule[]>();
  const parts: [name: string, text: () => string][] = [];
  for (const [name, child] of children) {
    const list = /^(.+)\.\d+$/.exec(name)?.[1];
    const known = list === undefined ? undefined : lists.get(list);
    if (list === undefined) parts.push([name, () => String(child)]);
    else if (known !== undefined) known.push(child);
    else {
      const items = [child];
      lists.set(list, items);
      parts.push([list, () => moduleText('ModuleList', '', listParts(items))]);
    }
  }
  return parts.map(([name, text]) => [name, text()]);
}

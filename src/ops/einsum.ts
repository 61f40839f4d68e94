/** Sums of products written with an index for each dimension. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { diagonal } from './diagonals.ts';
import { matmul } from './matmul.ts';
import { expand, permute, reshape } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { sum } from './reduction.ts';

const OP = 'einsum';

/** A tensor whose dimensions have names: letters, and numbers for those that `...` stands for. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/**
 * The sum of products that `equation` describes: `einsum('bij,bjk->bik', [a, b])`. A letter names a
 * dimension, `...` any number of them that broadcast; a letter that is missing behind the arrow is
 * summed over, one that stands twice in an operand takes its diagonal. Without an arrow the result
 * has the letters that stand once, in alphabetical order.
 * https://pytorch.org/docs/stable/generated/torch.einsum.html
 */
export const einsum = named(
  OP,
  ['equation', 'operands'],
  (equation: string, operands: readonly Tensor[]): Tensor => {
    requireTensors(OP, Object.fromEntries(operands.map((x, i) => [`operand ${i}`, x])));
    const { inputs, output } = parse(equation, operands);
    const [first, ...others] = operands.map((tensor, i) => distinct(tensor, inputs[i]!));
    let whole = first!;
    for (const [i, next] of others.entries()) {
      const later = new Set([...output, ...others.slice(i + 1).flatMap(({ labels }) => labels)]);
      whole = multiply(whole, next, later);
    }
    return arrange(whole, output);
  },
);

function fail(message: string): Error {
  return opError(ArgumentError, OP, message);
}

function parse(equation: string, operands: readonly Tensor[]) {
  const [left, right, ...rest] = equation.replaceAll(' ', '').split('->');
  const terms = left!.split(',');
  if (rest.length > 0) throw fail(`${JSON.stringify(equation)} has more than one arrow`);
  if (terms.length !== operands.length || operands.length === 0) {
    throw fail(
      `${JSON.stringify(equation)} names ${terms.length} operands, got ${operands.length}`,
    );
  }
  const inputs = terms.map((term, i) => labelsOf(term, operands[i]!));
  const spread = Math.max(0, ...inputs.map((labels) => labels.filter(isSpread).length));
  const dots = Array.from({ length: spread }, (_, i) => String(spread - 1 - i));
  const all = new Set(inputs.flat());
  if (right === undefined) return { inputs, output: [...dots, ...standingOnce(inputs)] };
  const output = letters(right, dots);
  const unknown = output.find((label) => !all.has(label) && !isSpread(label));
  if (unknown !== undefined) throw fail(`the result has ${unknown}, which no operand has`);
  if (new Set(output).size !== output.length) throw fail('the result names a dimension twice');
  return { inputs, output };
}

const isSpread = (label: string) => /^\d/.test(label);

function standingOnce(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat().filter((label) => !isSpread(label));
  return all.filter((label) => all.indexOf(label) === all.lastIndexOf(label)).sort();
}

/** The letters of a term, with `dots` in the place of the ellipsis. */
function letters(term: string, dots: readonly string[]): string[] {
  const parts = term.split('...');
  const isWord = parts.every((part) => /^[A-Za-z]*$/.test(part));
  if (parts.length > 2 || !isWord) throw fail(`${JSON.stringify(term)} is no list of letters`);
  return parts.length === 1 ? [...term] : [...parts[0]!, ...dots, ...parts[1]!];
}

function labelsOf(term: string, { ndim, shape }: Tensor): string[] {
  const named = term.replace('...', '').length;
  const spread = term.includes('...') ? ndim - named : 0;
  // Those that `...` stands for are counted from the last one, as broadcasting does.
  const dots = Array.from({ length: Math.max(spread, 0) }, (_, i) => String(spread - 1 - i));
  const labels = letters(term, dots);
  if (labels.length === ndim && spread >= 0) return labels;
  throw fail(`${JSON.stringify(term)} does not name the dimensions of ${formatShape(shape)}`);
}

/** With every label once: a dimension that stands twice becomes its diagonal. */
function distinct(tensor: Tensor, labels: readonly string[]): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second === -1) return { tensor, labels };
  const first = labels.indexOf(labels[second]!);
  const [a, b] = [tensor.shape[first]!, tensor.shape[second]!];
  if (a !== b) {
    const sizes = `${a} and ${b}`;
    throw opError(ShapeError, OP, `${labels[second]} stands for dimensions of ${sizes}`);
  }
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return distinct(diagonal(tensor, 0, first, second), [...rest, labels[second]!]);
}

const sizeOf = ({ tensor, labels }: Labelled, label: string) =>
  tensor.shape[labels.indexOf(label)] ?? 1;

/** The product, summed over the labels that nobody needs `later`. */
function multiply(a: Labelled, b: Labelled, later: ReadonlySet<string>): Labelled {
  const left = sumOver(a, (label) => !b.labels.includes(label) && !later.has(label));
  const right = sumOver(b, (label) => !a.labels.includes(label) && !later.has(label));
  const shared = left.labels.filter((label) => right.labels.includes(label));
  const kept = shared.filter((label) => later.has(label));
  const summed = shared.filter((label) => !later.has(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const size = new Map(
    [...shared, ...rows, ...columns].map((label) => [label, commonSize(left, right, label)]),
  );
  const sizes = (labels: readonly string[]) => labels.map((label) => size.get(label)!);
  const count = (labels: readonly string[]) => numel(sizes(labels));
  const matrices = (x: Labelled, first: string[], second: string[]) => {
    const whole = expand(
      arrange(x, [...kept, ...first, ...second]),
      sizes([...kept, ...first, ...second]),
    );
    return reshape(whole, [count(kept), count(first), count(second)]);
  };
  const product = matmul(matrices(left, rows, summed), matrices(right, summed, columns));
  const labels = [...kept, ...rows, ...columns];
  return { tensor: reshape(product, sizes(labels)), labels };
}

function commonSize(a: Labelled, b: Labelled, label: string): number {
  const sizes = [a, b].filter((x) => x.labels.includes(label)).map((x) => sizeOf(x, label));
  const size = sizes.find((n) => n !== 1) ?? 1;
  if (sizes.every((n) => n === 1 || n === size)) return size;
  const shapes = `${formatShape(a.tensor.shape)} and ${formatShape(b.tensor.shape)}`;
  throw opError(ShapeError, OP, `${label} has sizes ${sizes.join(' and ')} in ${shapes}`);
}

function sumOver({ tensor, labels }: Labelled, unneeded: (label: string) => boolean): Labelled {
  const dims = labels.flatMap((label, i) => (unneeded(label) ? [i] : []));
  if (dims.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, dims), labels: labels.filter((label) => !unneeded(label)) };
}

/**
 * With the dimensions in the order of `wanted`: others are summed, those that are not there have
 * size 1.
 */
function arrange(x: Labelled, wanted: readonly string[]): Tensor {
  const { tensor, labels } = sumOver(x, (label) => !wanted.includes(label));
  const present = wanted.filter((label) => labels.includes(label));
  const ordered = permute(
    tensor,
    present.map((label) => labels.indexOf(label)),
  );
  return reshape(
    ordered,
    wanted.map((label) => (labels.includes(label) ? sizeOf(x, label) : 1)),
  );
}

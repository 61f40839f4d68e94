/** Views of views, and the copies that vanish because they undo each other. */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { compile, nn, setEngine, type Tensor, zeros } from '../../src/index.ts';
import { composeViews, denseView, isDense, type View } from '../../src/plan/views.ts';

setEngine(referenceEngine());

/** The places that a view reads, in order. */
function places({ offset, strides, shape }: View): number[] {
  return shape.reduce<number[]>(
    (from, size, dim) =>
      from.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * strides[dim]!)),
    [offset],
  );
}

const heads = { offset: 0, strides: [12, 2, 4, 1], shape: [2, 2, 3, 2] };

describe('composeViews', () => {
  test.each<[string, View, View]>([
    [
      'a permutation and its inverse',
      heads,
      { offset: 0, strides: [12, 2, 6, 1], shape: [2, 3, 2, 2] },
    ],
    ['a slice of a permutation', heads, { offset: 6, strides: [12, 2, 1], shape: [2, 3, 2] }],
    ['a reshaped slice', { offset: 4, strides: [12, 1], shape: [3, 4] }, denseView([3, 2, 2])],
    [
      'dimensions of size 1',
      { offset: 1, strides: [9, 5, 2], shape: [1, 2, 2] },
      denseView([2, 1, 2]),
    ],
    ['one element', { offset: 3, strides: [], shape: [] }, denseView([1, 1])],
  ])('%s', (_, inner, outer) => {
    const both = composeViews(inner, outer);
    const from = places(inner);
    expect(places(both!)).toEqual(places(outer).map((place) => from[place]));
  });

  test.each<[string, View, View]>([
    ['dimensions that lie apart, merged', heads, denseView([2, 2, 6])],
    ['a step backwards', denseView([4]), { offset: 3, strides: [-1], shape: [4] }],
    ['nothing', denseView([0]), denseView([0, 2])],
  ])('gives up: %s', (_, inner, outer) => {
    expect(composeViews(inner, outer)).toBeUndefined();
  });

  test('finds what is in order', () => {
    expect(isDense(denseView([2, 3]), 6)).toBe(true);
    expect(isDense(denseView([2, 3]), 7)).toBe(false);
    expect(isDense(heads, 24)).toBe(false);
  });
});

describe('copies', () => {
  test.each<[string, (x: Tensor) => Tensor, number]>([
    ['that undo each other vanish', (x) => x.permute([0, 2, 1]).permute([0, 2, 1]).neg(), 0],
    [
      'vanish through a change of shape',
      (x) => x.transpose(0, 1).reshape([3, 2, 2, 2]).transpose(0, 1).neg(),
      0,
    ],
    ['that give another order stay', (x) => x.permute([0, 2, 1]).permute([2, 1, 0]).neg(), 2],
  ])('%s', (_, step, expected) => {
    const { program } = compile(step).inspect(zeros([2, 3, 4]));
    expect(program.split('copy_view').length - 1).toBe(expected);
  });

  test('cross entropy of permuted logits reads them in place', () => {
    const step = (x: Tensor, target: Tensor) =>
      nn.functional.crossEntropy(x.permute([0, 2, 1]), target);
    const { program } = compile(step).inspect(zeros([2, 5, 3]), zeros([2, 5], { dtype: 'int64' }));
    expect(program).not.toContain('copy_view');
  });
});

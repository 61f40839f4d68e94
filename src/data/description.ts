/** Whether the samples of two data sets look alike. */

import type { Shape } from '../base/shape.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import type { Field, SampleDescription } from './dataset.ts';

/** The shape of a field, cut to `length` where it varies. */
export function cutShape({ shape, varies }: Field, length: number | undefined): Shape {
  return varies && length !== undefined ? [length, ...shape.slice(1)] : shape;
}

/** How `own` differs from `other`, which is called `name`; nothing where they look alike. */
export function differing(
  own: SampleDescription,
  other: SampleDescription,
  name: string,
): string | undefined {
  const words = differingVocabulary(own, other, name);
  if (words !== undefined) return words;
  for (const field of ['input', 'target'] as const) {
    const [here, there] = [own[field], other[field]];
    if (here.dtype === there.dtype && sameShape(here.shape, there.shape)) continue;
    const shown = [here, there].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
    return `has ${field}s of ${shown[0]}, but ${name} of ${shown[1]}`;
  }
  return differingNames(own.classes, other.classes, name, ['classes', 'class']);
}

/** Of texts, whose other differences follow from it. */
function differingVocabulary(
  { vocabulary: own }: SampleDescription,
  { vocabulary: other }: SampleDescription,
  name: string,
): string | undefined {
  if (own === undefined || other === undefined) return undefined;
  const fault = differingNames(own, other, name, ['tokens', 'token']);
  return fault && `${fault}; both must learn them from the same texts`;
}

/** A class is a place in a list, and so is a token: the lists must be the same. */
function differingNames(
  own: readonly string[],
  other: readonly string[],
  name: string,
  [many, one]: readonly [string, string],
): string | undefined {
  const longer = own.length > other.length ? own : other;
  const place = longer.findIndex((_, i) => own[i] !== other[i]);
  if (place < 0) return undefined;
  const [here, there] = [own, other].map((names) => JSON.stringify(names[place]) ?? 'none');
  return (
    `has ${own.length} ${many}, ${name} ${other.length}, and they differ: ` +
    `${one} ${place} is ${here} here, ${there} there`
  );
}

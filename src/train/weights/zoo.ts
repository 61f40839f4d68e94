/** Which model of the zoo some weights are of. */

import '../../models/index.ts';
import { INTERPRETED } from '../../base/registry.ts';
import type { Shape } from '../../base/shape.ts';
import { generatorState, setGeneratorState } from '../../core/random.ts';
import type { Tensor } from '../../core/tensor.ts';
import {
  build,
  type MatchOptions,
  type Module,
  matchState,
  modules,
  type StateMatch,
} from '../../nn/index.ts';

/** Tensors of which only dtypes and shapes matter here. */
export type State = ReadonlyMap<string, Tensor>;

/** A model of the zoo, and what fits of some weights. */
export interface ZooMatch {
  /** Logits a sample. */
  readonly num_classes: number;
  readonly own: State;
  readonly match: StateMatch;
}

/** The types of models that give logits of classes and need no other argument, by their names. */
export function zooTypes(): string[] {
  return modules.names().filter((type) => {
    const schema = modules.argumentsOf(type);
    return 'num_classes' in schema.shape && schema.safeParse({}, INTERPRETED).success;
  });
}

/** A model of the zoo, whose weights are drawn only when they are asked for. */
export function zooModel(type: string, num_classes = usualClasses(type)): Module {
  const generator = generatorState();
  try {
    return build({ type, num_classes });
  } finally {
    setGeneratorState(generator);
  }
}

const usualClasses = (type: string): number =>
  modules.argumentsOf(type).shape.num_classes!.parse(undefined, INTERPRETED) as number;

/**
 * What fits the model `type`, with as many classes as the weights are for, if that is clear, unless
 * `num_classes` says how many.
 */
export function matchType(
  type: string,
  values: State,
  options: MatchOptions,
  num_classes?: number,
): ZooMatch {
  const classes = num_classes ?? usualClasses(type);
  const model = zooModel(type, classes);
  const own = model.stateDict();
  const match = matchState(model, values, options);
  const plain = { num_classes: classes, own, match };
  if (num_classes !== undefined || match.mismatched_keys.length === 0) return plain;
  const other = zooModel(type, classes + 1).stateDict();
  const stored = new Set<number | undefined>(
    match.mismatched_keys.map(({ key, shape }) =>
      classesIn(shape, own.get(key)!.shape, other.get(key)!.shape),
    ),
  );
  const [found] = stored;
  return stored.size === 1 && found ? matchType(type, values, options, found) : plain;
}

/** The size in `shape` that follows from the number of classes, as `other`, for one more, shows. */
function classesIn(shape: Shape, own: Shape, other: Shape): number | undefined {
  const dim = own.findIndex((size, i) => other[i] !== size);
  const fits =
    shape.length === own.length && shape.every((size, i) => i === dim || size === own[i]);
  return fits ? shape[dim] : undefined;
}

/** As much of the file and of the model must be alike as of the nearest one. */
const NEAR = 0.5;
/** Those whose keys are looked at: shapes alone nearly always tell. */
const CANDIDATES = 3;

/**
 * The type of the zoo that `values` are of, and what fits; where there is none, the one they are
 * most like, if they are more like it than not.
 */
export function nearestType(
  values: State,
  naming: Pick<MatchOptions, 'prefix' | 'rename'>,
): (ZooMatch & { readonly type: string }) | undefined {
  const given = [...values].filter(([key]) => key.startsWith(naming.prefix ?? ''));
  const shapes = countShapes(given.map(([, { shape }]) => shape));
  const ranked = zooTypes()
    .map((type) => ({ type, likeness: likeness(shapes, shapesOf(type)) }))
    .sort((a, b) => b.likeness - a.likeness);
  let best: (ZooMatch & { readonly type: string }) | undefined;
  let most = NEAR;
  for (const { type } of ranked.slice(0, CANDIDATES)) {
    const found = matchType(type, values, naming);
    const { size } = found.match.pairs;
    const alike = size / (found.own.size + given.length - size);
    if (alike <= most) continue;
    best = { type, ...found };
    most = alike;
  }
  return best;
}

/** How many tensors there are of each shape. */
type ShapeCounts = ReadonlyMap<string, number>;

/** A search builds every model, once. */
const known = new Map<string, ShapeCounts>();

function shapesOf(type: string): ShapeCounts {
  const found = known.get(type);
  if (found !== undefined) return found;
  const counts = countShapes([...zooModel(type).stateDict().values()].map(({ shape }) => shape));
  known.set(type, counts);
  return counts;
}

function countShapes(shapes: readonly Shape[]): ShapeCounts {
  const counts = new Map<string, number>();
  for (const shape of shapes.map(String)) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  return counts;
}

/** The part of all tensors on either side that have their like on the other, in [0, 1]. */
function likeness(a: ShapeCounts, b: ShapeCounts): number {
  const total = (counts: ShapeCounts) => [...counts.values()].reduce((sum, n) => sum + n, 0);
  const common = [...a].reduce((sum, [shape, n]) => sum + Math.min(n, b.get(shape) ?? 0), 0);
  return common / (total(a) + total(b) - common);
}

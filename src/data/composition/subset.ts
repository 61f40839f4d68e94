/** A part of a data set of any kind. */

import { z } from 'zod';
import { BuildError } from '../../base/build-error.ts';
import { nearestName } from '../../base/errors.ts';
import type { Spec } from '../../base/registry.ts';
import type { Engine } from '../../engine/engine.ts';
import {
  type BatchReader,
  type Dataset,
  type DatasetSource,
  datasets,
  type Field,
  type OpenOptions,
} from '../dataset.ts';
import { limitArguments, limitedPlaces, splitArguments, splitPlaces } from '../loading/split.ts';
import { readNumbers } from '../number-list.ts';
import { buildPart, cachesOf, loadPart } from './part.ts';

const place = z.int().min(0);

const schema = z.strictObject({
  dataset: datasets.spec().describe('The data set.'),
  indices: z
    .union([z.array(place).min(1), z.string().min(1)])
    .optional()
    .describe(
      'The samples, counted from 0, or a file of them: a list in `.json`, or one a line. Default: ' +
        'all.',
    ),
  classes: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Takes only the samples of these classes, which keep their numbers.'),
  ...splitArguments,
  stratify: z
    .boolean()
    .default(false)
    .describe('Holds back the same part of the samples of each class.'),
  ...limitArguments,
});

type Options = z.output<typeof schema>;

/**
 * First the indices are taken, of these the classes, then the split, then the limits.
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split
 */
datasets.register('Subset', {
  schema,
  summary: 'A part of another data set: some samples, some classes, a split, or the first few.',
  page: 'https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset',
  create: (options: Options, context): DatasetSource => {
    const whole = buildPart(options.dataset as Spec, ['dataset'], context);
    checkClasses(options, whole.classes);
    const load = async () => {
      const dataset = await loadPart(whole, ['dataset']);
      return subset(dataset, chosenPlaces(dataset, options));
    };
    return { ...whole, load, makeCaches: cachesOf([[whole, ['dataset']]]) };
  },
});

/** The samples of `places` of a data set, in that order; one may come several times. */
export function subset(dataset: Dataset, places: Int32Array): Dataset {
  return dataset.take?.(places) ?? new Subset(dataset, places);
}

function checkClasses({ classes = [] }: Options, known: readonly string[]): void {
  for (const [i, name] of classes.entries()) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new BuildError(`there is no class "${name}"${hint}`, ['classes', i]);
  }
}

function chosenPlaces(dataset: Dataset, options: Options): Int32Array {
  const { classes, stratify, limit, limit_per_class } = options;
  let places = givenPlaces(dataset, options);
  const labels = (key: string) => labelsAt(dataset, places, key);
  if (classes !== undefined) {
    const wanted = new Set(classes.map((name) => dataset.classes.indexOf(name)));
    const own = labels('classes');
    places = places.filter((_, i) => wanted.has(own[i]!));
    if (places.length === 0) throw new BuildError('no sample is of these classes', ['classes']);
  }
  const groups = stratify ? labels('stratify') : undefined;
  const part = splitPlaces(places.length, options, groups);
  places = part.map((i) => places[i]!);
  if (limit_per_class === undefined) return places.subarray(0, limit);
  return limitedPlaces(labels('limit_per_class'), options).map((i) => places[i]!);
}

function labelsAt(dataset: Dataset, places: Int32Array, key: string): Int32Array {
  const { labels } = dataset;
  if (labels !== undefined) return places.map((index) => labels[index]!);
  throw new BuildError('needs classes, but the classes of the samples are not known', [key]);
}

function givenPlaces({ length }: Dataset, { indices }: Options): Int32Array {
  if (indices === undefined) return Int32Array.from({ length }, (_, i) => i);
  const list = typeof indices === 'string' ? readNumbers(indices) : indices;
  const isSample = (index: number) => Number.isInteger(index) && index >= 0 && index < length;
  const wrong = list.findIndex((index) => !isSample(index));
  if (wrong < 0) return Int32Array.from(list);
  const message = `item ${wrong} is ${list[wrong]}, which is none of the ${length} samples`;
  throw new BuildError(message, ['indices']);
}

/** Batches of the whole set, by other indices. */
class Subset implements Dataset {
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[];
  readonly length: number;

  constructor(
    readonly dataset: Dataset,
    readonly places: Int32Array,
  ) {
    const { input, target, classes } = dataset;
    this.input = input;
    this.target = target;
    this.classes = classes;
    this.length = places.length;
  }

  get labels(): Int32Array | undefined {
    const { labels } = this.dataset;
    return labels && this.places.map((index) => labels[index]!);
  }

  get lengths(): Int32Array | undefined {
    const { lengths } = this.dataset;
    return lengths && this.places.map((index) => lengths[index]!);
  }

  get pad_to(): readonly number[] | undefined {
    return this.dataset.pad_to;
  }

  open(engine: Engine, options?: OpenOptions): BatchReader {
    const { places } = this;
    const reader = this.dataset.open(engine, options);
    const chosen = (indices: Int32Array) => indices.map((index) => places[index]!);
    return {
      read: (request) => reader.read({ ...request, indices: chosen(request.indices) }),
      stream:
        reader.stream &&
        ((request) => reader.stream!({ ...request, order: chosen(request.order) })),
      dispose: () => reader.dispose(),
    };
  }
}

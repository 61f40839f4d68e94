/**
 * Made-up samples of known shape, by scikit-learn's names and arguments: two moons, circles, blobs,
 * and tables to classify or to regress. All follow from `random_state`; the distributions are
 * scikit-learn's, the numbers are not. https://scikit-learn.org/stable/api/sklearn.datasets.html
 */

import { z } from 'zod';
import { ConfigError } from '../base/errors.ts';
import { type DatasetSource, datasets, type SampleDescription } from './dataset.ts';
import { splitArguments, splitPlaces } from './loading/split.ts';
import { RandomStream } from './random-stream.ts';
import { TensorDataset } from './tensor-dataset.ts';

const count = () => z.int().positive();
const noise = (fallback: number) =>
  z.number().min(0).default(fallback).describe('Standard deviation of the Gaussian noise.');

const { random_state, ...parts } = splitArguments;

/** Of every set; `random_state` also draws which samples are held back. */
const common = {
  n_samples: count().default(100).describe('Samples.'),
  random_state: random_state.describe('What the samples, and those held back, are drawn from.'),
  ...parts,
};

type Common = z.output<z.ZodObject<typeof common>>;

/** Samples as they are drawn: rows of features, and a class or a number each. */
interface Drawn {
  readonly features: number[][];
  readonly targets: number[];
}

const PAGE = 'https://scikit-learn.org/stable/modules/generated/sklearn.datasets.';

function register<Shape extends z.ZodRawShape>(
  type: string,
  page: string,
  shape: Shape,
  draw: (
    options: Common & z.output<z.ZodObject<Shape>>,
    random: RandomStream,
  ) => Drawn & { classes: number; width: number },
): void {
  datasets.register(type, {
    schema: z.strictObject({ ...common, ...shape }),
    page: `${PAGE}${page}.html`,
    create: (options) => source(options, draw(options, new RandomStream(options.random_state))),
  });
}

/** No classes are numbers to predict: float32 (1,). */
function source(options: Common, drawn: Drawn & { classes: number; width: number }): DatasetSource {
  const { features, targets, classes, width } = drawn;
  const isClass = classes > 0;
  const description: SampleDescription = {
    input: { dtype: 'float32', shape: [width] },
    target: isClass ? { dtype: 'int64', shape: [] } : { dtype: 'float32', shape: [1] },
    classes: Array.from({ length: classes }, (_, i) => String(i)),
  };
  const rows = {
    inputs: Float32Array.from(features.flat()),
    targets: isClass ? BigInt64Array.from(targets, BigInt) : Float32Array.from(targets),
  };
  const places = splitPlaces(targets.length, options);
  const all = new TensorDataset(targets.length, description, rows);
  return { ...description, load: async () => all.take(places) };
}

/** Two half circles that reach into each other. */
register('MakeMoons', 'make_moons', { noise: noise(0) }, (options, random) => {
  const { n_samples } = options;
  return inPlane(n_samples, options.noise, random, (label, angle) => {
    const [x, y] = [Math.cos(angle * Math.PI), Math.sin(angle * Math.PI)];
    return label === 0 ? [x, y] : [1 - x, 0.5 - y];
  });
});

/** A circle inside another one. */
register(
  'MakeCircles',
  'make_circles',
  {
    noise: noise(0),
    factor: z.number().min(0).lt(1).default(0.8).describe('The radius of the inner circle.'),
  },
  ({ n_samples, factor, ...options }, random) =>
    inPlane(n_samples, options.noise, random, (label, turn) => {
      const radius = label === 0 ? 1 : factor;
      const angle = 2 * Math.PI * turn;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    }),
);

/** Two classes of points, evenly along a curve each: `at` from 0 to 1. */
function inPlane(
  length: number,
  noise: number,
  random: RandomStream,
  curve: (label: 0 | 1, at: number) => [number, number],
) {
  const first = Math.floor(length / 2);
  const points = Array.from({ length }, (_, i): [0 | 1, [number, number]] => {
    const label = i < first ? 0 : 1;
    const [place, many] = label === 0 ? [i, first] : [i - first, length - first];
    return [label, curve(label, place / Math.max(1, many - 1))];
  });
  const shuffled = random.shuffled(points);
  return {
    features: shuffled.map(([, point]) => point.map((value) => value + noise * random.normal())),
    targets: shuffled.map(([label]) => label),
    classes: 2,
    width: 2,
  };
}

/** Gaussian clouds around centers that are drawn from a box. */
register(
  'MakeBlobs',
  'make_blobs',
  {
    n_features: count().default(2).describe('Features of a sample.'),
    centers: count().default(3).describe('Clouds; each is a class.'),
    cluster_std: z.number().min(0).default(1).describe('Standard deviation of each cloud.'),
    center_box: z
      .tuple([z.number(), z.number()])
      .default([-10, 10])
      .describe('Between which numbers the centers lie.'),
  },
  ({ n_samples, n_features, centers, cluster_std, center_box: [low, high] }, random) => {
    const middles = Array.from({ length: centers }, () =>
      Array.from({ length: n_features }, () => low + (high - low) * random.uniform()),
    );
    const targets = random.shuffled(Array.from({ length: n_samples }, (_, i) => i % centers));
    const features = targets.map((label) =>
      middles[label]!.map((middle) => middle + cluster_std * random.normal()),
    );
    return { features, targets, classes: centers, width: n_features };
  },
);

/** Numbers that are a linear function of some features, with noise. */
register(
  'MakeRegression',
  'make_regression',
  {
    n_features: count().default(100).describe('Features of a sample.'),
    n_informative: count().default(10).describe('How many of them the target depends on.'),
    bias: z.number().default(0).describe('What is added to every target.'),
    noise: noise(0),
  },
  ({ n_samples, n_features, n_informative, bias, ...options }, random) => {
    const weights = Array.from({ length: n_features }, (_, i) =>
      i < n_informative ? 100 * random.uniform() : 0,
    );
    const order = random.shuffled([...weights.keys()]);
    const features = Array.from({ length: n_samples }, () => order.map(() => random.normal()));
    const targets = features.map((row) => {
      const sum = row.reduce((total, value, i) => total + value * weights[order[i]!]!, bias);
      return sum + options.noise * random.normal();
    });
    return { features, targets, classes: 0, width: n_features };
  },
);

/** Classes that are Gaussian clouds around corners of a cube, with features that say nothing. */
register(
  'MakeClassification',
  'make_classification',
  {
    n_features: count().default(20).describe('Features of a sample.'),
    n_informative: count().default(2).describe('How many of them tell classes apart.'),
    n_classes: z.int().min(2).default(2).describe('Classes.'),
    class_sep: z.number().positive().default(1).describe('Half the length of the cube.'),
    flip_y: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe('The part of the samples whose class is drawn at random.'),
  },
  ({ n_samples, n_features, n_informative, n_classes, class_sep, flip_y }, random) => {
    if (n_informative > n_features || n_classes > 2 ** Math.min(30, n_informative)) {
      throw new ConfigError(
        `[MakeClassification] ${n_classes} classes need as many corners: n_informative is ` +
          `${n_informative} of ${n_features} features`,
      );
    }
    const corners = Array.from({ length: n_classes }, (_, label) =>
      Array.from({ length: n_informative }, (_, bit) =>
        (label >> (bit % 31)) & 1 ? class_sep : -class_sep,
      ),
    );
    const labels = random.shuffled(Array.from({ length: n_samples }, (_, i) => i % n_classes));
    const features = labels.map((label) =>
      Array.from({ length: n_features }, (_, i) => (corners[label]![i] ?? 0) + random.normal()),
    );
    const targets = labels.map((label) =>
      random.uniform() < flip_y ? Math.floor(random.uniform() * n_classes) : label,
    );
    return { features, targets, classes: n_classes, width: n_features };
  },
);

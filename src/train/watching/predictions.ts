/** What a trained model says of samples that have classes: what is computed for a report. */

import { TorchtsError } from '../../base/errors.ts';
import { type Dataset, ImageDataset } from '../../data/index.ts';
import type { DataLoader } from '../../data/loading/loader.ts';
import type { HostTensor } from '../../io/host-tensor.ts';
import { imageSummary } from '../../io/tensorboard/image.ts';
import type { Example, Predictions } from '../../report/data.ts';
import { BatchTensors } from '../loop/batches.ts';
import { predictionStep, shares } from '../task/prediction-step.ts';
import type { Task } from '../task/task.ts';

/** A report is worth this much time, in milliseconds. */
const PATIENCE = 20_000;
const MOST_MISTAKES = 16;
const MOST_RIGHT = 8;
/** A confusion matrix with more classes would be the larger part of the page. */
const MOST_CLASSES = 1000;
/** Pictures are thinned to this many pixels a side. */
const MOST_PIXELS = 256;

type Guess = Omit<Example, 'image'>;

/** Whether there is one class a sample, and a score for each class. */
export function canPredict({ train }: Task): boolean {
  const { classes, target } = train;
  return target.shape.length === 0 && classes.length > 0 && classes.length <= MOST_CLASSES;
}

/**
 * Looks at the samples of `loader` whose target the loss does not leave out, in order, until all
 * are seen or patience ends.
 */
export async function predict(
  task: Task,
  loader: DataLoader,
): Promise<Omit<Predictions, 'split' | 'checkpoint'>> {
  const { dataset } = loader;
  const { classes } = dataset;
  const confusion = classes.map(() => new Array<number>(classes.length).fill(0));
  const found: { mistakes: Guess[]; right: Guess[] } = { mistakes: [], right: [] };
  const deadline = performance.now() + PATIENCE;
  let samples = 0;
  let ignored = 0;
  for await (const guess of guesses(task, loader, deadline)) {
    if (guess.actual === task.ignored) {
      ignored++;
      continue;
    }
    confusion[guess.actual]![guess.predicted]!++;
    samples++;
    keep(found, guess);
  }
  const illustrated = (list: readonly Guess[]) =>
    list.map((guess) => ({ ...guess, image: pictureOf(dataset, guess.sample) }));
  return {
    samples,
    of: dataset.length - ignored,
    classes,
    confusion,
    mistakes: illustrated(surest(found.mistakes)),
    right: illustrated(found.right),
  };
}

/** The surest mistakes, and right ones as they come, a class at a time. */
function keep({ mistakes, right }: { mistakes: Guess[]; right: Guess[] }, guess: Guess): void {
  if (guess.actual === guess.predicted) {
    const isNew = right.every(({ actual }) => actual !== guess.actual);
    if (right.length < MOST_RIGHT && (isNew || guess.sample > 1000)) right.push(guess);
    return;
  }
  mistakes.push(guess);
  // Seldom, so that the time does not go into sorting.
  if (mistakes.length > 50 * MOST_MISTAKES) mistakes.splice(0, Infinity, ...surest(mistakes));
}

function surest(mistakes: readonly Guess[]): Guess[] {
  return [...mistakes].sort((a, b) => b.confidence - a.confidence).slice(0, MOST_MISTAKES);
}

async function* guesses(
  task: Task,
  loader: DataLoader,
  deadline: number,
): AsyncGenerator<Guess, void> {
  const { model } = task;
  const tensors = new BatchTensors(loader.dataset);
  const step = predictionStep(task);
  const training = model.training;
  model.eval();
  try {
    for (const batch of loader.epoch(0)) {
      const targets = await tensors.targets(batch).data();
      const scores = (await (await step(tensors.inputs(batch))).data()) as Float32Array;
      const width = scores.length / batch.size;
      for (const [i, sample] of batch.indices.entries()) {
        const all = shares(scores.subarray(i * width, (i + 1) * width));
        const actual = Number(targets[i]);
        const predicted = all.reduce((best, share, k) => (share > all[best]! ? k : best), 0);
        yield {
          ...{ sample, actual, predicted },
          confidence: all[predicted]!,
          actual_confidence: all[actual]!,
        };
      }
      if (performance.now() > deadline) break;
    }
  } finally {
    model.train(training);
    step.dispose();
  }
}

/** A PNG file in base64; nothing where the samples are no images, or none that can be shown. */
function pictureOf(dataset: Dataset, sample: number): string | null {
  if (!(dataset instanceof ImageDataset)) return null;
  const { channels, height, width, data } = dataset.image(sample);
  const image = thinned({ dtype: 'uint8', shape: [channels, height, width], data });
  try {
    return Buffer.from(imageSummary(image).encoded_image_string).toString('base64');
  } catch (error) {
    if (error instanceof TorchtsError) return null; // two channels, or five
    throw error;
  }
}

/** Every nth pixel of every nth row. */
function thinned(image: HostTensor): HostTensor {
  const [channels, height, width] = image.shape as [number, number, number];
  const every = Math.ceil(Math.max(height, width) / MOST_PIXELS);
  if (every === 1) return image;
  const shape = [channels, Math.ceil(height / every), Math.ceil(width / every)] as const;
  const [, rows, columns] = shape;
  const data = new Uint8Array(channels * rows * columns);
  for (let i = 0; i < data.length; i++) {
    const [channel, y, x] = [
      Math.floor(i / (rows * columns)),
      Math.floor(i / columns) % rows,
      i % columns,
    ];
    data[i] = Number(image.data[(channel * height + y * every) * width + x * every]);
  }
  return { dtype: image.dtype, shape, data };
}

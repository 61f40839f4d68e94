/** Some images of every class in one picture. */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ArgumentError, FileError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Dataset } from '../dataset.ts';
import type { Pixels } from '../images/pixels.ts';
import { imageParts } from './statistics.ts';

export interface SheetOptions {
  /** The images as the transforms give them in the first epoch, not as they were read. */
  readonly augmented?: boolean;
  /** What random transforms draw from. */
  readonly seed?: number;
}

const COLUMNS = 8;
/** Rows: of more classes, the first ones are shown. */
const MOST_CLASSES = 64;
/** Pixels: smaller images are enlarged to this, larger ones made smaller. */
const CELL = 72;
const GAP = 4;
const LABEL = 160;

/**
 * Writes a PNG with a row for every class: its name and its first 8 images.
 *
 * @throws ArgumentError for a data set that is not of images, FileError when it cannot be written.
 */
export async function writeContactSheet(
  file: string,
  dataset: Dataset,
  engine: Engine,
  options: SheetOptions = {},
): Promise<void> {
  const { labels, classes } = dataset;
  if (imageParts(dataset) === undefined || labels === undefined) {
    throw new ArgumentError(
      '[contact sheet] shows images with classes, which these samples are not',
    );
  }
  const rows = classes.slice(0, MOST_CLASSES).map((name, label) => ({
    name,
    places: Array.from(labels.keys())
      .filter((place) => labels[place] === label)
      .slice(0, COLUMNS),
  }));
  const places = Int32Array.from(rows.flatMap((row) => row.places));
  const images = options.augmented
    ? augmented(dataset, places, engine, options.seed ?? 0)
    : Array.from(places, (place) => storedImage(dataset, place));
  const { default: sharp } = await import('sharp');
  const cells = await Promise.all(
    images.map(({ channels, height, width, data }) =>
      sharp(data, { raw: { channels: channels as 1 | 3, height, width } })
        .resize(CELL, CELL, { fit: 'contain', kernel: height < CELL ? 'nearest' : 'lanczos3' })
        .png()
        .toBuffer(),
    ),
  );
  let next = 0;
  const step = CELL + GAP;
  const layers = rows.flatMap(({ name, places: own }, row) => [
    { input: label(name), left: GAP, top: GAP + row * step },
    ...own.map((_, column) => ({
      input: cells[next++]!,
      left: LABEL + GAP + column * step,
      top: GAP + row * step,
    })),
  ]);
  if (!existsSync(dirname(file))) throw new FileError(`there is no folder ${dirname(file)}`);
  const size = { width: LABEL + GAP + COLUMNS * step, height: GAP + rows.length * step };
  const sheet = sharp({ create: { ...size, channels: 3, background: '#ffffff' } });
  try {
    await sheet.composite(layers).png().toFile(file);
  } catch (error) {
    throw new FileError(`cannot write ${file}: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** A class's name as an SVG. */
function label(name: string): Buffer {
  const shown = name.length > 20 ? `${name.slice(0, 19)}…` : name;
  const text = shown.replaceAll(/[^\w .…-]/gu, (character) => `&#${character.codePointAt(0)};`);
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LABEL - GAP}" height="${CELL}">` +
      `<text x="0" y="${CELL / 2 + 5}" font-family="sans-serif" font-size="14">${text}</text></svg>`,
  );
}

/** (height, width, channels), as sharp takes it; of other than 3 channels, the first. */
function interleaved({ channels, height, width, data }: Pixels): Pixels {
  const kept = channels === 3 ? 3 : 1;
  const area = height * width;
  const out = new Uint8Array(kept * area);
  for (let p = 0; p < area; p++) {
    for (let channel = 0; channel < kept; channel++) {
      out[p * kept + channel] = data[channel * area + p]!;
    }
  }
  return { channels: kept, height, width, data: out };
}

function storedImage(dataset: Dataset, place: number): Pixels {
  let first = 0;
  for (const part of imageParts(dataset)!) {
    if (place < first + part.length) return interleaved(part.image(place - first));
    first += part.length;
  }
  throw new ArgumentError(`[contact sheet] there is no sample ${place}`);
}

/** What the model gets, its darkest and brightest value as black and white. */
function augmented(dataset: Dataset, indices: Int32Array, engine: Engine, seed: number): Pixels[] {
  const { input, target } = dataset;
  const [channels, height, width] = input.shape as [number, number, number];
  const reader = dataset.open(engine, { seed });
  const inputs = engine.allocate(input.dtype, indices.length * numel(input.shape));
  const targets = engine.allocate(target.dtype, indices.length * numel(target.shape));
  try {
    reader.read({ indices, epoch: 0, inputs, targets });
    const values = engine.readSync(inputs) as Float32Array;
    const size = channels * height * width;
    return Array.from(indices, (_, i) => {
      const data = asBytes(values.subarray(i * size, (i + 1) * size));
      return interleaved({ channels, height, width, data });
    });
  } finally {
    reader.dispose();
    inputs.dispose();
    targets.dispose();
  }
}

function asBytes(values: Float32Array): Uint8Array {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const range = high > low ? high - low : 1;
  return Uint8Array.from(values, (value) => Math.round(((value - low) / range) * 255));
}

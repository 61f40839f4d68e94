/** A dozen kills; `npm run test:kills` has a hundred. */

import { expect, it } from 'vitest';
import { campaign } from './kills/campaign.mjs';

it('a run that is killed again and again ends with the bytes of one that is not', async () => {
  const { kills, faults } = await campaign({ kills: 12, seed: 2 });
  expect(faults).toEqual([]);
  expect(kills).toBeGreaterThanOrEqual(12);
}, 120_000);

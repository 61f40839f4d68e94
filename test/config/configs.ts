/** The configs that torchts ships. */

import { readdirSync } from 'node:fs';
import path from 'node:path';

export const shippedConfigs: readonly string[] = [
  'configs',
  'configs/init',
  'configs/bench',
].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => path.join(folder, name)),
);

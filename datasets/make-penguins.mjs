// Makes datasets/penguins/penguins.csv from the npm package vega-datasets, under the names of
// columns that palmerpenguins has; what is not known is NA.
//
//   npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz package/data/penguins.json
//   node datasets/make-penguins.mjs package/data/penguins.json

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COLUMNS = {
  species: 'Species',
  island: 'Island',
  bill_length_mm: 'Beak Length (mm)',
  bill_depth_mm: 'Beak Depth (mm)',
  flipper_length_mm: 'Flipper Length (mm)',
  body_mass_g: 'Body Mass (g)',
  sex: 'Sex',
};

const [source] = process.argv.slice(2);
if (source === undefined) {
  process.stderr.write('usage: node datasets/make-penguins.mjs PENGUINS.json\n');
  process.exit(2);
}
const rows = JSON.parse(readFileSync(source, 'utf8')).map((penguin) =>
  Object.entries(COLUMNS).map(([name, key]) => {
    const value = penguin[key] ?? '.';
    if (value === '.') return 'NA';
    return name === 'sex' ? value.toLowerCase() : value;
  }),
);
const folder = fileURLToPath(new URL('penguins/', import.meta.url));
mkdirSync(folder, { recursive: true });
const lines = [Object.keys(COLUMNS), ...rows].map((row) => row.join(','));
writeFileSync(`${folder}penguins.csv`, `${lines.join('\n')}\n`);

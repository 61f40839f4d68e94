/** What `torchts init` can begin with. */

export const STARTERS = {
  images: 'tell classes of images apart, in a folder for each class',
  'text-classification': 'tell classes of texts apart, in a column of a table',
  text: 'write like a text, character by character',
  table: 'tell classes of rows apart, in a CSV file',
  regression: 'predict a number from the other columns of a CSV file',
} as const;

export type Starter = keyof typeof STARTERS;

/** The file beside a config that editors check it by. */
export const SCHEMA = 'torchts.schema.json';

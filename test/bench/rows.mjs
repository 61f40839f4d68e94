/** The rows of the suite: `configs/bench/NAME.yaml` against the row of that name in PyTorch. */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {number} steps timed in a round, on either side
 * @property {boolean} images takes images, so channels_last is tried too
 * @property {'float32' | 'bfloat16'} precision whose matrix rate makes the floor
 * @property {string} target times faster than PyTorch: at least, and the aim
 */

/** @type {readonly Row[]} */
export const ROWS = [
  { name: 'cnn-b4', steps: 1000, images: true, precision: 'float32', target: '6 (aim 9)' },
  { name: 'cnn-b128', steps: 100, images: true, precision: 'float32', target: '2.5 (aim 4)' },
  { name: 'mlp', steps: 400, images: false, precision: 'float32', target: '1.6 (aim 2)' },
  { name: 'resnet18', steps: 4, images: true, precision: 'float32', target: '1.7 (aim 2.2)' },
  { name: 'resnet18-bf16', steps: 4, images: true, precision: 'bfloat16', target: '1.2 (aim 1.5)' },
  { name: 'resnet9', steps: 4, images: true, precision: 'float32', target: '1.7 (aim 2.2)' },
  { name: 'gpt', steps: 12, images: false, precision: 'float32', target: '1.4 (aim 1.8)' },
  { name: 'lstm', steps: 30, images: false, precision: 'float32', target: '1.2 (aim 1.6)' },
];

/** The whole of a short training, as a process. */
export const WALL_CLOCK = { name: 'train-smoke', target: '3 (aim 5)' };

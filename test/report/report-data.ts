/** A small report, and the same with names that want to be more than names. */

import type { ReportData } from '../../src/report/data.ts';

export const EVIL = `"'><script>fetch('https://example.org')</script><img src=x onerror=alert(1)>`;

/** A black pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC';

export function reportData({ evil = false } = {}): ReportData {
  const name = (text: string) => (evil ? `${text}${EVIL}` : text);
  const example = { sample: 3, confidence: 0.9, actual_confidence: 0.05, image: PIXEL };
  return {
    name: name('cats'),
    directory: name('runs/cats/1'),
    state: 'failed',
    message: name('the loss is NaN'),
    started: '2026-01-02T03:04:05.000Z',
    seconds: 75,
    step: 10,
    total_steps: 20,
    best: { metric: name('val_accuracy'), value: 0.368, step: 5 },
    metrics: { train_loss: 1.5, val_accuracy: 0.368, [name('val_f1')]: 0.3 },
    records: [
      { step: 5, split: 'train', loss: 2, accuracy: 0.3, lr: 0.1, samples_per_second: 100 },
      { step: 5, split: name('val'), loss: 2.1, accuracy: 0.35, lr: 0.1 },
      { step: 10, split: 'train', loss: 1.5, accuracy: 0.4, lr: 0.1, samples_per_second: 120 },
      { step: 10, split: name('val'), loss: 1.9, accuracy: 0.368, lr: 0.1, [name('f1')]: 0.3 },
    ],
    config: name('optimizer: { lr: 0.1 }'),
    environment: { cpu: name('AVX-512'), git: { commit: name('abc'), changed: true } },
    model: {
      layers: [
        {
          path: name('fc'),
          type: name('Linear'),
          output_shape: [8, 2],
          parameters: 34,
          flops: 512,
        },
      ],
      input_shape: [8, 16],
      parameters: 34,
      flops: 512,
    },
    predictions: {
      split: 'val',
      checkpoint: name('checkpoints/step-5'),
      samples: 20,
      of: 20,
      classes: [name('cat'), name('dog')],
      confusion: [
        [8, 2],
        [3, 7],
      ],
      mistakes: [{ ...example, actual: 0, predicted: 1 }],
      right: [{ ...example, actual: 1, predicted: 1 }],
    },
    files: [{ path: name('checkpoints/best'), bytes: 2048 }],
  };
}

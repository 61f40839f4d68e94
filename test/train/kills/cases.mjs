/** What is trained under fire: each case keeps something else in its checkpoints. */

/** By name: overrides of `kills.yaml`. */
export const CASES = {
  'SGD with momentum, dropout, random crops': [],
  'AdamW, clipping, a rate that changes every step': [
    'optimizer={ type: AdamW, lr: 0.001, amsgrad: true }',
    'trainer.clip_grad_norm=0.5',
    'scheduler={ type: OneCycleLR, max_lr: 0.01, total_steps: 453 }',
  ],
  'gradients of several batches in a step': [
    'trainer.accumulate_grad_batches=4',
    'trainer.epochs=8',
    'trainer.checkpoint_every=15',
  ],
  'rates that follow the validation': [
    'optimizer={ type: RMSprop, lr: 0.001 }',
    'scheduler={ type: ReduceLROnPlateau, patience: 0, threshold: 1 }',
  ],
  'an early end': [
    'trainer.early_stopping={ patience: 2, min_delta: 10 }',
    'trainer.epochs=9',
    'trainer.keep=1',
  ],
  'mixed precision, a shortened epoch, a warm-up': [
    'precision=bfloat16',
    'trainer.max_steps=333',
    'trainer.epochs=null',
    'scheduler={ type: SequentialLR, milestones: [1], ' +
      'schedulers: [LinearLR, { type: ExponentialLR, gamma: 0.5 }] }',
  ],
  'averaged weights, mixed samples, metrics, two validation sets and a test': [
    'trainer.ema={ decay: 0.9, update_every_n_steps: 3 }',
    'data.batch_transforms=[{ type: RandomChoice, transforms: [MixUp, CutMix] }]',
    'metrics=[F1Score, ConfusionMatrix]',
    'data.val={ near: { type: FakeData, size: 900, image_size: [1, 8, 8], num_classes: 4 }, ' +
      'far: { type: FakeData, size: 900, image_size: [1, 8, 8], num_classes: 4, ' +
      'random_offset: 9000 } }',
    'data.test={ type: FakeData, size: 900, image_size: [1, 8, 8], num_classes: 4 }',
    'trainer.monitor=val_near_loss',
  ],
  'checkpoints at the ends of epochs only': [
    'trainer.checkpoint_every=null',
    'trainer.epochs=5',
    'data.train.size=605',
  ],
};

/** The names that may stand in `callbacks:`. */

import { Registry } from '../base/registry.ts';
import type { Callback } from './callback.ts';

export const callbacks = new Registry<Callback>('callback');

/** The names that may stand in `callbacks:`. */

import { adoptClass } from '../base/adopt.ts';
import { Registry } from '../base/registry.ts';
import { Callback } from './callback.ts';

export const callbacks = new Registry<Callback>('callback');

callbacks.adopt(adoptClass(Callback, 'Callback', (type, options) => new type(options)));

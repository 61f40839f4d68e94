/** Samples, and what the model says of them. */

import { percent } from '../base/words.ts';
import type { Example, Predictions } from './data.ts';
import { type Html, html } from './html.ts';

export function examplesSection({ mistakes, right, classes }: Predictions): Html {
  return html`<h3>Mistakes it was surest of</h3>
${mistakes.length === 0 ? html`<p class="quiet">There are none.</p>` : gallery(mistakes, classes)}
<h3>Right ones</h3>
${right.length === 0 ? html`<p class="quiet">There are none.</p>` : gallery(right, classes)}`;
}

function gallery(examples: readonly Example[], classes: readonly string[]): Html {
  return html`<div class="gallery">${examples.map((example) => card(example, classes))}</div>`;
}

function card(example: Example, classes: readonly string[]): Html {
  const { sample, actual, predicted, confidence, actual_confidence, image } = example;
  const isRight = actual === predicted;
  const picture =
    image === null
      ? undefined
      : html`<img src="data:image/png;base64,${image}" alt="sample ${sample}: ${classes[actual]}">`;
  return html`<figure class="${isRight ? 'right' : 'wrong'}">${picture}
<figcaption><b>${classes[predicted]}</b> ${percent(confidence)}${
    isRight ? undefined : html`<br>is <b>${classes[actual]}</b> ${percent(actual_confidence)}`
  }<br><span class="quiet">sample ${sample}</span></figcaption></figure>
`;
}

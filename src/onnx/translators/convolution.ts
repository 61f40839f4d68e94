/** Convolutions over two dimensions, and their transposes. */

import type { Conv2dAttrs } from '../../engine/kernels.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Size } from '../size.ts';
import type { Call, Translator, Translators } from '../translator.ts';

type Attrs = Conv2dAttrs & { readonly size?: readonly Size[] };

/** With a bias for each channel, if there is one. */
export function convolution(call: Call<Attrs>, builder: GraphBuilder, bias?: string): string {
  const operands = bias === undefined ? call.inputs : [...call.inputs, bias];
  const { stride, padding, dilation, groups } = call.attrs;
  const attribute = {
    kernel_shape: call.fixed(call.type(1).shape.slice(2)),
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    group: groups,
  };
  if (call.node.op === 'conv2d') return builder.emit('Conv', operands, attribute);
  const output_padding = missing(call, attribute.kernel_shape);
  return builder.emit('ConvTranspose', operands, { ...attribute, output_padding });
}

/** What the wanted size has more than the smallest of which the convolution gives the input's. */
function missing(call: Call<Attrs>, kernel: readonly number[]): number[] {
  const { stride, padding, dilation, size } = call.attrs;
  const from = call.fixed(call.type(0).shape.slice(2));
  return call.fixed(size!.slice(2)).map((wanted, i) => {
    const reach = dilation[i]! * (kernel[i]! - 1) + 1;
    return wanted - ((from[i]! - 1) * stride[i]! + reach - 2 * padding[i]!);
  });
}

const convolve: Translator = (call, builder) => convolution(call, builder);

export const convolutions: Translators = { conv2d: convolve, conv2d_backward_data: convolve };

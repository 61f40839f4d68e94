/** Attributes as text: equal texts, equal attributes. */

/** Unlike JSON, tells NaN, the infinities and both zeros apart. */
export function attrsKey(attrs: object): string {
  let text = '';
  for (const [key, value] of Object.entries(attrs)) text += `${key}=${attrKey(value)},`;
  return text;
}

export function attrKey(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

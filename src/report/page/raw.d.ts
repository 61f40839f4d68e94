/** A file's text, put in when torchts is built. */
declare module '*?raw' {
  const text: string;
  export = text;
}

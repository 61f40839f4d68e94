/**
 * What zip archives are made of, for their reader and their writer.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

/** What the records begin with. */
export const SIGNATURE = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  end64Locator: 0x07064b50,
} as const;

/** How a file is packed. */
export const METHOD = { stored: 0, deflated: 8 } as const;

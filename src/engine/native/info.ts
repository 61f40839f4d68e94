/** What the native engine found on this machine, for `torchts doctor` and run records. */

import { addonPath, loadAddon, type NativeInfo } from './loader.ts';

export type EngineInfo =
  | ({ readonly available: true; readonly path: string } & NativeInfo)
  | { readonly available: false; readonly path: string; readonly reason: string };

/** Never throws: a missing or failing addon is what the caller wants to hear about. */
export function engineInfo(): EngineInfo {
  const path = addonPath();
  try {
    return { available: true, path, ...loadAddon().info() };
  } catch (error) {
    return { available: false, path, reason: (error as Error).message };
  }
}

// Reading what a person has set in git's configuration, key by key (docs/git-xmpp.1, "CONFIGURATION"). Rule: the last value counts; one that cannot be
// used is told, and its default holds.

import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';

/** Values of `git config --list`, by key with section and variable in lower case. */
export type ConfigValues = ReadonlyMap<string, readonly string[]>;

/** `parse` throws an InputFault that names the key. */
export type ReadSetting = <T>(key: string, parse: (text: string) => T, otherwise: T) => T;

/** @param onProblem told of each value that cannot be used */
export function settingReader(config: ConfigValues, onProblem: (fault: Fault) => void): ReadSetting {
  return (key, parse, otherwise) => {
    const text = config.get(key.toLowerCase())?.at(-1);
    if (text === undefined) return otherwise;
    try {
      return parse(text);
    } catch (error) {
      onProblem(asFault(error, key));
      return otherwise;
    }
  };
}

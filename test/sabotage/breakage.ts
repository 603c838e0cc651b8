// One way to break the code on purpose. Rule: what is to be replaced occurs exactly once, so a breakage can never miss its place unseen.

/** An invariant, and how it is broken. */
export interface Breakage {
  /** The invariant, in words: what no longer holds. */
  readonly invariant: string;
  /** From the root of the project. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** Who must notice, without `test/` and `.spec.ts`; one of them is enough. */
  readonly specs: readonly string[];
}

/** A file's breakages: each is `invariant, from, to, specs`. */
export function inFile(file: string, ...breakages: readonly (readonly [invariant: string, from: string, to: string, ...specs: string[]])[]): Breakage[] {
  return breakages.map(([invariant, from, to, ...specs]) => ({ invariant, file, from, to, specs }));
}

/** The file as it is when broken. @throws Error when the place is not there, or not the only one */
export function breakText(text: string, { file, from, to }: Pick<Breakage, 'file' | 'from' | 'to'>): string {
  const count = text.split(from).length - 1;
  if (from === '' || count !== 1) throw new Error(`${file}: what is to be broken occurs ${count} times, not once: ${from}`);
  if (from === to) throw new Error(`${file}: nothing is broken by ${from}`);
  return text.replace(from, () => to);
}

export function specFile(spec: string): string {
  return `test/${spec}.spec.ts`;
}

// What vitest's JSON says of a run. Rule: red is a test that failed, by its name; a file that could not be loaded shows nothing about an invariant.

export type Verdict =
  | { readonly kind: 'green' }
  | { readonly kind: 'red'; readonly by: string }
  /** The code could not be loaded: the breakage is no breakage. */
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'hung' };

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/**
 * @param json vitest's report, empty when there is none
 * @param code its exit code
 */
export function readReport(json: string, code: number): Verdict {
  if (json === '') return { kind: 'unloaded' };
  const { testResults } = JSON.parse(json) as Report;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === 'failed');
  if (failed !== undefined) return { kind: 'red', by: failed.fullName };
  if (tests.every(({ status }) => status !== 'passed')) return { kind: 'unloaded' };
  if (testResults.some(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)) return { kind: 'unloaded' };
  // An error that nobody caught, after every test had passed, fails the run too.
  return code === 0 ? { kind: 'green' } : { kind: 'red', by: 'an error that nothing caught' };
}

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ServerCertificateFile } from '../../../src/home/server-certificate.ts';
import { makeFolder } from '../../helpers/repo.ts';

const SEEN = { domain: 'example.org', fingerprint: 'a'.repeat(64), issuer: 'Example CA', since: 1000, validTo: 9000 };

let state: string;
let file: ServerCertificateFile;

beforeEach(() => {
  state = makeFolder();
  file = new ServerCertificateFile({ state });
});

describe('ServerCertificateFile', () => {
  it('remembers one certificate, and since when, for its owner alone', async () => {
    await file.note(SEEN);
    await file.note({ ...SEEN, since: 2000 });
    expect(await file.read('example.org')).toEqual(SEEN);
    expect(statSync(join(state, 'server-certificate.json')).mode & 0o777).toBe(0o600);
  });

  it('takes another one in its place, and none of another server', async () => {
    await file.note(SEEN);
    await file.note({ ...SEEN, fingerprint: 'b'.repeat(64), since: 2000 });
    expect(await file.read('example.org')).toMatchObject({ fingerprint: 'b'.repeat(64), since: 2000 });
    expect(await file.read('example.net')).toBeUndefined();
  });

  it('knows nothing where its file is damaged, and leaves that as it is', async () => {
    const path = join(state, 'server-certificate.json');
    writeFileSync(path, '{"domain": 1}');
    expect(await file.read('example.org')).toBeUndefined();
    expect(readFileSync(path, 'utf8')).toBe('{"domain": 1}');
  });
});

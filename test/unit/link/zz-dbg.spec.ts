import { it } from 'vitest';
import { LinkWorld } from '../../helpers/link-world.ts';
it('x', async () => {
  const world = new LinkWorld({ handlers: { repos: () => Promise.resolve(1) } });
  const session = await world.session();
  const t0 = Date.now();
  const log = (...a: unknown[]) => console.log(Date.now() - t0, ...a);
  const closed = new Promise<void>((r) => session.once('close', () => (log('close'), r())));
  session.on('error', (e) => log('session error', e.message));
  const ping = () => new Promise((resolve) => { if (session.destroyed) resolve('d'); else session.ping(() => resolve('pong')); });
  for (let n = 0; n < 102; n += 1) {
    const stream = session.request({ ':method': 'POST', ':path': '/nothing' }, { endStream: false });
    stream.on('error', () => undefined);
    stream.on('close', () => n > 99 && log('stream close', n));
    if (n > 99) log(n, 'asked');
    await Promise.race([closed, new Promise((r) => stream.once('response', r))]);
    if (n > 99) log(n, 'answered');
    stream.destroy(new Error('reset'));
    await Promise.race([closed, ping()]);
    if (n > 99) log(n, 'reset');
  }
}, 20000);

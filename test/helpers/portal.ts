// A captive network's own machine, as a process on its router: a name server, and a page that everybody is sent to. Rule: while the network is captive every
// name has the portal's address and every connection is answered with a redirect over HTTP; a line on its input, `captive` or `free`, says which.

import dgram from 'node:dgram';
import net from 'node:net';
import { createInterface } from 'node:readline';
import dnsPacket from 'dns-packet';

const [, , address = '', port = '', free = ''] = process.argv;
const REDIRECT = `HTTP/1.1 302 Found\r\nLocation: http://${address}/login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
let isCaptive = false;

const names = dgram.createSocket('udp4');
names.on('message', (message, from) => {
  const query = dnsPacket.decode(message);
  const [question] = query.questions ?? [];
  const answers = question?.type === 'A' ? [{ type: 'A' as const, name: question.name, ttl: 1, data: isCaptive ? address : free }] : [];
  names.send(dnsPacket.encode({ type: 'response', id: query.id ?? 0, flags: dnsPacket.RECURSION_AVAILABLE, questions: query.questions ?? [], answers }), from.port, from.address);
});
names.bind(53, address);

// It sends its page to whoever says anything, be it HTTP or not.
net.createServer((client) => {
  client.on('error', () => undefined);
  client.once('data', () => client.end(REDIRECT));
}).listen(Number(port), address, () => console.log('listening'));

createInterface(process.stdin).on('line', (line) => (isCaptive = line === 'captive')).on('close', () => process.exit(0));

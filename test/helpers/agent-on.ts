// An agent that runs on a machine of a network of namespaces. Rule: its commands run outside, and reach it by the socket of its home.

import type { Device } from './device.ts';

/** Starts the agent of `device` there. @param enter as `NatNetwork.enter` @throws Error with its last words */
export async function startAgentOn(device: Device, [command = '', ...first]: readonly string[]): Promise<void> {
  const { code, stderr } = await device.run(command, [...first, 'git-xmpp', 'daemon', 'start']);
  if (code !== 0) throw new Error(`${device.name}: the agent could not be started: ${stderr}`);
}

/** Where a request comes from: addresses, the networks that are trusted, and the client behind proxies of ours. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

/** A set of addresses and networks, such as `10.0.0.0/8` and `::1`. */
export class Networks {
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

const LOOPBACK = new Networks(['127.0.0.0/8', '::1']);

/** IPv4 inside IPv6 is IPv4, and some proxies write a port behind the address. */
function plain(address: string): string {
  const bare = address.trim().replace(/^\[(.*)\](?::[0-9]+)?$/, '$1');
  const ipv4 = /^(?:::ffff:)?([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?::[0-9]+)?$/i.exec(bare)?.[1];
  return ipv4 ?? bare;
}

/** The client's address. `X-Forwarded-For` counts as far as those who added to it are trusted, and no further. */
export function clientAddress(request: IncomingMessage, proxies: Networks): string {
  let address = plain(request.socket.remoteAddress ?? '');
  const header = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  while (proxies.has(address)) {
    const hop = plain(hops.pop() ?? '');
    if (isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

/** From this machine itself: not through a proxy on it, which would make everybody local. */
export function isLocal(request: IncomingMessage): boolean {
  const { headers, socket } = request;
  const forwarded = headers['x-forwarded-for'] ?? headers.forwarded ?? headers.via ?? headers['x-real-ip'];
  return forwarded === undefined && LOOPBACK.has(plain(socket.remoteAddress ?? ''));
}

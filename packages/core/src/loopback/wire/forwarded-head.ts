import type { Head, RequestLine } from './http-head.ts';
import type { Dialed } from './upstream.ts';

/** The request as the upstream has to see it. A proxy that is asked for plain HTTP wants the whole URL. */
export function headForUpstream(
  { upstream, authority }: Dialed,
  head: Head,
  line: Omit<RequestLine, 'target'> & { readonly path: string },
): Buffer {
  const path = `${upstream.basePath}${line.path.startsWith('/') ? line.path : `/${line.path}`}`;
  const viaProxy = upstream.proxy !== undefined && !upstream.isTls;
  const target = viaProxy ? `http://${authority}${path}` : path;
  const authorization = viaProxy ? upstream.proxy?.authorization : undefined;
  return forwardedHead(head, `${line.method} ${target} ${line.version}`, {
    host: authority,
    ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
  });
}

/** The head that goes to the upstream: what names the receiver is the upstream's, all else is as it was written. */
function forwardedHead(head: Head, startLine: string, put: Readonly<Record<string, string>>): Buffer {
  const lines = head.fields.flatMap(({ name, line }) => (Object.hasOwn(put, name) ? [] : [line]));
  const own = Object.entries(put).map(([name, value]) => `${name}: ${value}\r`);
  return Buffer.from([`${startLine}\r`, ...own, ...lines, '\r', ''].join('\n'), 'latin1');
}

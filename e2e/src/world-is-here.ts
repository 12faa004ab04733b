/**
 * Loaded before a program: what it sends by HTTPS, to whatever host, goes to the server on this machine that `WORLD_IS_AT` names,
 * under the `host` that was meant. Only the network is not what it was.
 */
import http from 'node:http';
import https from 'node:https';

const world = process.env['WORLD_IS_AT'];

function here(url: URL, options: https.RequestOptions): http.ClientRequest {
  const headers = { ...(options.headers as http.OutgoingHttpHeaders), host: url.host };
  return http.request(new URL(url.pathname, world), { ...options, headers, agent: http.globalAgent });
}

https.request = here as typeof https.request;

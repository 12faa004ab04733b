// A backend of all contenders, in a process of its own so that its work is not counted as theirs: takes everything, counts the
// bytes, and says its port and its count to its parent.
import { createServer } from 'node:http';

let bytes = 0;

const server = createServer((request, response) => {
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const body = answerTo(request.url ?? '/');
    response.writeHead(200, { 'content-type': body === '' ? 'application/x-protobuf' : 'application/json' });
    response.end(body);
  });
});

/** What Braintrust's and LangSmith's clients need to be told before they send. */
function answerTo(url) {
  if (url.includes('/apikey/login')) {
    return JSON.stringify({ org_info: [{ id: 'org', name: 'org', api_url: origin(), proxy_url: origin() }] });
  }
  if (url.includes('/api/project/register')) return JSON.stringify({ project: { id: 'project', name: 'bench' } });
  if (url.includes('/version')) return JSON.stringify({});
  if (url.includes('/info'))
    return JSON.stringify({ version: '0.12.0', batch_ingest_config: { use_multipart_endpoint: true } });
  return url.startsWith('/v1/') ? '' : JSON.stringify({ ids: [] });
}

function origin() {
  return `http://127.0.0.1:${server.address().port}`;
}

server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ origin: origin() }));

process.on('message', () => {
  process.send({ bytes });
  bytes = 0;
});
process.on('disconnect', () => process.exit());

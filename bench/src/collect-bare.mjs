// What no receiver can do without: `node:http` and the decoding of each body, in a process of its own. Says its port to its parent.
import { createServer } from 'node:http';
import { decodeOtlp } from '../../packages/core/src/otlp/decode/decode-otlp.ts';

let records = 0;

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { groups } = decodeOtlp(request.url.slice('/v1/'.length), 'protobuf', Buffer.concat(chunks));
    for (const group of groups) records += group.records.length;
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 }).end();
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ records, rss: process.memoryUsage.rss() }));

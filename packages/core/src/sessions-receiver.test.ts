import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { childReceiver, type Unread } from './sessions-receiver.ts';

describe('the receiver of a child', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  const post = async (body: string): Promise<{ status: number; unread: Unread[]; refused: string[] }> => {
    const unread: Unread[] = [];
    const refused: string[] = [];
    const server = childReceiver({
      token: 'secret',
      batch: (one) => void unread.push(one),
      rejected: (reason) => void refused.push(reason),
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => void server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret/v1/logs`;
    const { status } = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return { status, unread, refused };
  };

  test('answers before it has read what it was sent', async () => {
    const { status, unread, refused } = await post('{"resourceLogs":[]}');
    expect(status).toBe(200);
    expect(unread.map((read) => read())).toEqual([{ signal: 'logs', groups: [] }]);
    expect(refused).toEqual([]);
  });

  test('tells of what is no OTLP when it is read', async () => {
    const { status, unread, refused } = await post('{"resourceLogs":');
    expect(status).toBe(200);
    expect(refused).toEqual([]);
    expect(unread.map((read) => read())).toEqual([undefined]);
    expect(refused).toEqual(['malformed']);
  });
});
